// Signs of presence of live profiles, the newest of each persona until a moment: an index look-up for each persona.
// params: brand, roots, until, newest (how many of each persona)
// returns: root_id, seen [{id, type, at (microseconds), visit}…]
// mode: read
UNWIND $roots AS root_id
MATCH (p:Customer {root_id: root_id})
WHERE p.brand = $brand
CALL (p) {
  MATCH (e:Event)
  WHERE e.persona_id = p.id AND e.visit_at <= $until AND e.id IS NOT NULL
  RETURN e ORDER BY e.persona_id DESC, e.visit_at DESC, e.id DESC LIMIT $newest
}
RETURN root_id, collect({id: e.id, type: e.type, at: e.visit_at.epochSeconds * 1000000 + e.visit_at.microsecond, visit: e.visit}) AS seen
