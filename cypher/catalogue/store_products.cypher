// Store products as their shops tell them; what is older than what is stored changes nothing.
// params: brand, products (a list of maps: key, source, instance, product_id, at, is_deleted, props, items [{key, id, sku}])
// returns: stored (how many changed something)
// mode: write
UNWIND $products AS row
MERGE (p:Product {key: row.key})
ON CREATE SET p.brand = $brand, p.source = row.source, p.instance = row.instance, p.product_id = row.product_id
// Takes the lock, so that of two deliveries the later one sees what the earlier one wrote.
SET p.key = p.key
WITH p, row WHERE p.updated_at IS NULL OR p.updated_at <= row.at
SET p.updated_at = row.at, p.deleted_at = CASE WHEN row.is_deleted THEN row.at ELSE null END, p += row.props
WITH p, row, CASE WHEN row.is_deleted THEN [] ELSE
  [(p)-[old:STOCKS]->(i:StockItem) WHERE NOT i.key IN [item IN row.items | item.key] | old] END AS gone
FOREACH (old IN gone | DELETE old)
FOREACH (item IN row.items |
  MERGE (i:StockItem {key: item.key})
  ON CREATE SET i.brand = $brand, i.source = row.source, i.instance = row.instance, i.item_id = item.id
  SET i.sku = CASE WHEN i.updated_at > row.at THEN i.sku ELSE coalesce(item.sku, i.sku) END
  MERGE (p)-[:STOCKS]->(i))
RETURN count(p) AS stored
