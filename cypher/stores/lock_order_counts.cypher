// Lock orders and read what of them was counted for their products, and what counts now.
// params: brand, keys (sorted)
// returns: key, counted (JSON or null), placed_at, products, counts
// mode: write
UNWIND $keys AS key
MATCH (o:Order {key: key})
WHERE o.brand = $brand
SET o.brand = o.brand
WITH o
RETURN o.key, o.counted_products, o.placed_at, o.products, o.counts
