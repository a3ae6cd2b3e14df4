// Products of a brand in order of their keys, each with its stock by location.
// params: brand, after (the last key of the page before, or empty), limit
// returns: product, stock [{item_id, sku, location_id, available, updated_at}]
// mode: read
MATCH (p:Product {brand: $brand}) WHERE p.key > $after AND p.deleted_at IS NULL
WITH p ORDER BY p.key LIMIT $limit
RETURN p {.*} AS product,
  [(p)-[:STOCKS]->(i:StockItem)-[:STOCKED]->(l:StockLevel) WHERE l.deleted_at IS NULL AND i.deleted_at IS NULL |
    {item_id: i.item_id, sku: i.sku, location_id: l.location_id, available: l.available, updated_at: l.updated_at}] AS stock
ORDER BY p.key
