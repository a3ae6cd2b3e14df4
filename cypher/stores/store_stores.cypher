// Stores as events tell of them: made once, a name only where nobody has set one.
// params: brand, stores [{key, store_id, name, at}…]
// returns: stored
// mode: write
UNWIND $stores AS row
MERGE (s:Store {key: row.key})
ON CREATE SET s.brand = $brand, s.store_id = row.store_id, s.created_at = row.at
SET s.name = CASE WHEN s.is_named THEN s.name ELSE coalesce(row.name, s.name) END
RETURN count(s) AS stored
