// Stock of products by location, over all sources that know them.
// params: brand, product_ids
// returns: product_id, title, category, levels [{location_id, available}…]
// mode: read
UNWIND $product_ids AS product_id
MATCH (p:Product)
WHERE p.brand = $brand AND p.product_id = product_id AND p.deleted_at IS NULL
RETURN product_id, p.title AS title, p.category AS category, COLLECT {
  MATCH (p)-[:STOCKS]->(i:StockItem)-[:STOCKED]->(l:StockLevel)
  WHERE l.deleted_at IS NULL AND i.deleted_at IS NULL AND l.available IS NOT NULL
  RETURN {location_id: l.location_id, available: l.available}
} AS levels
