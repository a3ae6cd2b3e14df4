// Movements of stock, newest first.
// params: brand, before_at, before_id, limit
// returns: movement
// mode: read
MATCH (m:StockMovement)
WHERE m.brand = $brand AND m.at <= $before_at AND m.id IS NOT NULL
  AND CASE WHEN m.at = $before_at THEN m.id < $before_id ELSE true END
RETURN m {.*} AS movement
ORDER BY m.brand DESC, m.at DESC, m.id DESC
LIMIT $limit
