// Who owns these orders, before any lock: tells which customers must be locked.
// params: brand, keys
// returns: one row, a list of persona_id, root_id
// mode: read
UNWIND $keys AS key
MATCH (o:Order {key: key})
WHERE o.brand = $brand
MATCH (c:Customer {id: o.persona_id})
RETURN collect(DISTINCT [c.id, c.root_id]) AS rows
