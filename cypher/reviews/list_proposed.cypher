// The live profiles that these pending reviews propose.
// params: brand, ids
// returns: one row, a list of id, profile_ids in the order of the ids
// mode: read
UNWIND $ids AS id
MATCH (v:Review {id: id})
WHERE v.brand = $brand AND v.status = 'pending'
WITH v, COLLECT { MATCH (v)-[:PROPOSES]->(c:Customer) RETURN DISTINCT c.root_id } AS profile_ids
ORDER BY v.id
RETURN collect([v.id, profile_ids]) AS rows
