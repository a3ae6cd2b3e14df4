// The stocked things of a product, over all sources that know it.
// params: brand, product_id
// returns: key, item_id, sku
// mode: read
MATCH (p:Product)
WHERE p.brand = $brand AND p.product_id = $product_id AND p.deleted_at IS NULL
MATCH (p)-[:STOCKS]->(i:StockItem)
WHERE i.deleted_at IS NULL
RETURN DISTINCT i.key AS key, i.item_id AS item_id, i.sku AS sku
ORDER BY key
LIMIT 200
