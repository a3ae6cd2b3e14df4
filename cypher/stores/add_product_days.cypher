// Add to the counts of products by day, and note what of each order is counted now.
// params: brand, rows [[key, product_id, day, views, carts, purchases]…] by key, orders [[key, counted (JSON)]…]
// returns: nothing
// mode: write
CALL () {
  UNWIND $rows AS r
  MERGE (d:ProductDay {key: r[0]})
  ON CREATE SET d.brand = $brand, d.product_id = r[1], d.day = r[2], d.views = 0, d.carts = 0, d.purchases = 0, d.heat = 0
  SET d.views = d.views + r[3], d.carts = d.carts + r[4], d.purchases = d.purchases + r[5]
  SET d.heat = d.views + 3 * d.carts + 5 * d.purchases
}
UNWIND $orders AS r
MATCH (o:Order {key: r[0]})
SET o.counted_products = r[1]
