// Keep what products are called in events; of two names the one of the later event stands.
// params: brand, rows [[key, product_id, name, at]…] sorted by key
// returns: nothing
// mode: write
UNWIND $rows AS row
MERGE (n:ProductName {key: row[0]})
ON CREATE SET n.brand = $brand, n.product_id = row[1]
WITH n, row WHERE n.at IS NULL OR n.at <= row[3]
SET n.name = row[2], n.at = row[3]
