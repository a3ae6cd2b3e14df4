// First and last seen of personas that gave an event away, read again from their remaining events, and of their roots.
// params: brand, ids
// returns: nothing
// mode: write
UNWIND $ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand
CALL (c) {
  MATCH (e:Event)
  USING INDEX e:Event(persona_id, occurred_at, id)
  WHERE e.persona_id = c.id AND e.occurred_at IS NOT NULL AND e.id IS NOT NULL
  RETURN min(e.occurred_at) AS first, max(e.occurred_at) AS last
}
SET c.own_first_seen = first, c.own_last_seen = last
WITH collect(DISTINCT c.root_id) AS roots
UNWIND roots AS root_id
MATCH (p:Customer {root_id: root_id})
WITH root_id, min(p.own_first_seen) AS first, max(p.own_last_seen) AS last
MATCH (r:Customer {id: root_id})
SET r.first_seen = first, r.last_seen = last
