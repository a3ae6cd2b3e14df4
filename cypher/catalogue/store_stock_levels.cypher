// Store how much of an item is at a location; what is older than what is stored changes nothing.
// params: brand, levels (a list of maps: key, item_key, source, instance, item_id, location_id, at, available, is_deleted)
// returns: stored
// mode: write
UNWIND $levels AS row
MERGE (i:StockItem {key: row.item_key})
ON CREATE SET i.brand = $brand, i.source = row.source, i.instance = row.instance, i.item_id = row.item_id
MERGE (l:StockLevel {key: row.key})
ON CREATE SET l.brand = $brand, l.location_id = row.location_id
MERGE (i)-[:STOCKED]->(l)
SET l.key = l.key
WITH l, row WHERE l.updated_at IS NULL OR l.updated_at <= row.at
SET l.updated_at = row.at, l.available = row.available, l.deleted_at = CASE WHEN row.is_deleted THEN row.at ELSE null END
RETURN count(l) AS stored
