// The newest sign of presence of live profiles; those never seen in a store are left out.
// params: brand, roots
// returns: root_id, visit (JSON of the newest sign of presence)
// mode: read
UNWIND $roots AS root_id
CALL (root_id) {
  MATCH (p:Customer {root_id: root_id})
  WHERE p.brand = $brand
  CALL (p) {
    MATCH (e:Event)
    WHERE e.persona_id = p.id AND e.visit_at IS NOT NULL AND e.id IS NOT NULL
    RETURN e ORDER BY e.persona_id DESC, e.visit_at DESC, e.id DESC LIMIT 1
  }
  RETURN e ORDER BY e.visit_at DESC LIMIT 1
}
RETURN root_id, e.visit AS visit
