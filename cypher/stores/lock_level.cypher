// Lock the level of a thing at a location, making what is missing, and read it; and a movement that has this id already.
// params: brand, product (map key, product_id, title, or null for a thing that is there), item_key, item_id, level_key, location_id, movement_id
// returns: available (null when not counted yet), moved (the movement of this id, or null)
// mode: write
CALL () {
  WITH $product AS row
  WHERE row IS NOT NULL
  MERGE (p:Product {key: row.key})
  ON CREATE SET p.brand = $brand, p.source = 'inventory', p.instance = '', p.product_id = row.product_id, p.title = row.title,
    p.updated_at = row.at
  MERGE (i:StockItem {key: $item_key})
  ON CREATE SET i.brand = $brand, i.source = 'inventory', i.instance = '', i.item_id = $item_id
  MERGE (p)-[:STOCKS]->(i)
}
MATCH (i:StockItem {key: $item_key})
WHERE i.brand = $brand
MERGE (l:StockLevel {key: $level_key})
ON CREATE SET l.brand = $brand, l.location_id = $location_id
MERGE (i)-[:STOCKED]->(l)
SET l.key = l.key
WITH l
OPTIONAL MATCH (m:StockMovement {id: $movement_id})
RETURN CASE WHEN l.deleted_at IS NULL THEN l.available END, m {.*}
