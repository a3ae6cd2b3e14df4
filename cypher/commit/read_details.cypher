// What a merge needs to know of live profiles (locked): all identifiers, who is marked as not the same.
// params: brand, roots
// returns: one row, a list of root_id, identifiers [[type, value]…], not_same [root id…]
// mode: read
UNWIND $roots AS id
MATCH (p:Customer {root_id: id})
WHERE p.brand = $brand
WITH id, collect(p) AS personas
WITH id,
  reduce(found = [], p IN personas |
    found + [(p)-[h:HAS_IDENTIFIER]->(i:Identifier) WHERE h.until IS NULL | [i.type, i.value]]) AS identifiers,
  reduce(found = [], p IN personas |
    found + [(p)-[n:NOT_SAME]-(q:Customer) WHERE n.ended_at IS NULL | q.root_id]) AS not_same
RETURN collect([id, identifiers, not_same]) AS rows
