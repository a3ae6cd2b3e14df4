// Pointers of merges that were taken back, and merges that hold while all their sides are apart and no pointer is theirs.
// params: brand, limit
// returns: id, found
// mode: read
CALL () {
  MATCH (a:Customer {brand: $brand})-[p:MERGED_INTO]->(:Customer)
  MATCH (m:Merge {id: p.merge_id})
  WHERE m.reverted_at IS NOT NULL
  RETURN m.id AS id, 'taken back, pointer stands' AS found
  LIMIT $limit
UNION
  MATCH (s:Customer {brand: $brand})<-[:JOINED {role: 'survivor'}]-(m:Merge)-[:JOINED {role: 'absorbed'}]->(a:Customer)
  WHERE m.reverted_at IS NULL
  WITH m, s, collect(a.root_id) AS sides, collect(a) AS ends
  WHERE NOT s.root_id IN sides AND none(side IN ends WHERE EXISTS { (side)-[:MERGED_INTO {merge_id: m.id}]->() })
  RETURN m.id AS id, 'holds, sides are apart' AS found
  LIMIT $limit
}
RETURN id, found
LIMIT $limit
