// What happened with products on days, by key.
// params: brand, product_ids, days (YYYY-MM-DD)
// returns: product_id, day, views, carts, purchases
// mode: read
UNWIND $product_ids AS product_id
UNWIND $days AS day
MATCH (d:ProductDay {key: $brand + '|' + product_id + '|' + day})
WHERE d.brand = $brand
RETURN product_id, day, d.views AS views, d.carts AS carts, d.purchases AS purchases
