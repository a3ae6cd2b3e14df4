// The live profiles of these personas, before any lock.
// params: brand, ids
// returns: persona_id, root_id
// mode: read
UNWIND $ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand
RETURN c.id, c.root_id
