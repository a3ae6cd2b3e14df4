// Tallies of personas as counted anew, under their root's lock.
// params: brand, rows [[persona_id, events by channel as channel:count…, counted orders as text]…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (c:Customer {id: r[0]})
WHERE c.brand = $brand
SET c.own_channels = r[1], c.own_sales = r[2]
