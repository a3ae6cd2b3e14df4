// What a merge needs to know of live profiles (locked): all identifiers, who is marked as not the same.
// params: brand, roots
// returns: one row, a list of root_id, identifiers [[type, value, trust]…], not_same [root id…],
//   absorbed_at [event time of each automatic absorption, microseconds…],
//   crowds [[type, value]…] of shared strong identifiers that they carried
// mode: read
UNWIND $roots AS id
MATCH (p:Customer {root_id: id})
WHERE p.brand = $brand
WITH id, collect(p) AS personas
WITH id,
  reduce(found = [], p IN personas |
    found + [(p)-[h:HAS_IDENTIFIER]->(i:Identifier) WHERE h.until IS NULL | [i.type, i.value, h.trust]]) AS identifiers,
  reduce(found = [], p IN personas |
    found + [(p)<-[:JOINED {role: 'absorbed'}]-(m:Merge) WHERE m.reverted_at IS NULL AND m.occurred_at IS NOT NULL
      | m.occurred_at.epochSeconds * 1000000 + m.occurred_at.microsecond]) AS absorbed_at,
  reduce(found = [], p IN personas |
    found + [(p)-[n:NOT_SAME]-(q:Customer) WHERE n.ended_at IS NULL | q.root_id]) AS not_same,
  reduce(found = [], p IN personas |
    found + [(p)-[:CARRIED]->(i:Identifier) WHERE i.shared_since IS NOT NULL | [i.type, i.value]]) AS crowds
RETURN collect([id, identifiers, not_same, absorbed_at, crowds]) AS rows
