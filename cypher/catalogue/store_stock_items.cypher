// Store the things that stock is counted of; what is older than what is stored changes nothing.
// params: brand, items (a list of maps: key, source, instance, item_id, at, is_deleted, sku)
// returns: stored
// mode: write
UNWIND $items AS row
MERGE (i:StockItem {key: row.key})
ON CREATE SET i.brand = $brand, i.source = row.source, i.instance = row.instance, i.item_id = row.item_id
SET i.key = i.key
WITH i, row WHERE i.updated_at IS NULL OR i.updated_at <= row.at
SET i.updated_at = row.at, i.sku = coalesce(row.sku, i.sku), i.deleted_at = CASE WHEN row.is_deleted THEN row.at ELSE null END
RETURN count(i) AS stored
