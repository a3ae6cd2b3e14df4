// The cached live profile of each persona.
// params: brand, rows [[persona_id, root_id]…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (c:Customer {id: r[0]})
WHERE c.brand = $brand
SET c.root_id = r[1]
