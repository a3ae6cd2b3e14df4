// The cached live profile of every persona below an absorbed one.
// params: brand, rows [[absorbed root id, live root id]…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (p:Customer {root_id: r[0]})
WHERE p.brand = $brand
SET p.root_id = r[1]
