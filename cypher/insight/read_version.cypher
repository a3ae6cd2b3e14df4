// How often the live profile that a persona belongs to has changed.
// params: brand, id
// returns: version
// mode: read
MATCH (c:Customer {id: $id})
WHERE c.brand = $brand
MATCH (root:Customer {id: c.root_id})
RETURN root.version AS version
