// The live profiles of these personas, before any lock.
// params: brand, ids
// returns: one row, a list of persona_id, root_id
// mode: read
UNWIND $ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand
RETURN collect([c.id, c.root_id]) AS rows
