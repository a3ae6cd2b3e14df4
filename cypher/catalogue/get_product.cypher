// Products of one id, of every source that knows it, each with its stock by location.
// params: brand, product_id
// returns: product, stock [{item_id, sku, location_id, available, updated_at}]
// mode: read
MATCH (p:Product)
WHERE p.brand = $brand AND p.product_id = $product_id AND p.deleted_at IS NULL
RETURN p {.*} AS product,
  [(p)-[:STOCKS]->(i:StockItem)-[:STOCKED]->(l:StockLevel) WHERE l.deleted_at IS NULL AND i.deleted_at IS NULL |
    {item_id: i.item_id, sku: i.sku, location_id: l.location_id, available: l.available, updated_at: l.updated_at}] AS stock
ORDER BY p.key
LIMIT 50
