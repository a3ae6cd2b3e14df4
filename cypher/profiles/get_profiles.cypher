// Live profiles that answer for the given ids, each with its cluster's identifiers and personas.
// params: brand, ids
// returns: asked_id, profile, personas, identifiers
// mode: read
UNWIND $ids AS asked_id
MATCH (asked:Customer {id: asked_id})
WHERE asked.brand = $brand
MATCH (root:Customer {id: asked.root_id})
CALL (root) {
  MATCH (p:Customer {root_id: root.id})
  WITH p ORDER BY p.created_at, p.id
  RETURN collect({id: p.id, traits: p.traits, last_seen: p.own_last_seen}) AS personas
}
CALL (root) {
  MATCH (p:Customer {root_id: root.id})-[h:HAS_IDENTIFIER]->(i:Identifier)
  WHERE h.until IS NULL
  RETURN collect(DISTINCT [i.type, i.value]) AS identifiers
}
RETURN asked_id, properties(root) AS profile, personas, identifiers
