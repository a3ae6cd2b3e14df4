// The live profiles of these ids, before any lock.
// params: brand, ids
// returns: id, root_id
// mode: read
UNWIND $ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand
RETURN c.id, c.root_id
