// Products of a brand in order of their keys, each with its stock by location; of so many looked at, those that fit a search.
// params: brand, after (the last key of the page before, or empty), look_at (how many), words (lower case, or null), limit
// returns: product, stock [{item_id, sku, location_id, available, updated_at}]
// mode: read
MATCH (p:Product {brand: $brand}) WHERE p.key > $after AND p.deleted_at IS NULL
WITH p ORDER BY p.key LIMIT $look_at
WHERE $words IS NULL OR all(word IN $words WHERE toLower(p.product_id + ' ' + coalesce(p.title, '') + ' ' +
  coalesce(p.category, '') + ' ' + coalesce(p.vendor, '')) CONTAINS word)
WITH p LIMIT $limit
RETURN p {.*} AS product,
  [(p)-[:STOCKS]->(i:StockItem)-[:STOCKED]->(l:StockLevel) WHERE l.deleted_at IS NULL AND i.deleted_at IS NULL |
    {item_id: i.item_id, sku: i.sku, location_id: l.location_id, available: l.available, updated_at: l.updated_at}] AS stock
ORDER BY p.key
