// The live profiles that these pending reviews propose.
// params: brand, ids
// returns: id, profile_ids
// mode: read
UNWIND $ids AS id
MATCH (v:Review {id: id})
WHERE v.brand = $brand AND v.status = 'pending'
RETURN v.id AS id, COLLECT { MATCH (v)-[:PROPOSES]->(c:Customer) RETURN DISTINCT c.root_id } AS profile_ids
ORDER BY id
