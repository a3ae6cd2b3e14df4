// Newest stored intents of a brand, of one product or of all, that had a signal since a moment.
// params: brand, product (or null), since, before_at, before_key, limit
// returns: key, profile_id, product_id, full, status, first_at, last_at, signals
// mode: read
CALL () {
  WITH 1 AS _
  WHERE $product IS NULL
  MATCH (n:Intent)
  WHERE n.brand = $brand AND n.last_at >= $since AND n.last_at <= $before_at
  RETURN n
  UNION ALL
  WITH 1 AS _
  WHERE $product IS NOT NULL
  MATCH (n:Intent)
  WHERE n.brand = $brand AND n.product_id = $product AND n.last_at >= $since AND n.last_at <= $before_at
  RETURN n
}
WITH n
WHERE n.last_at < $before_at OR n.key < $before_key
RETURN n.key AS key, n.profile_id AS profile_id, n.product_id AS product_id, n.full AS full, n.status AS status,
  n.first_at AS first_at, n.last_at AS last_at, n.signals AS signals
ORDER BY last_at DESC, key DESC
LIMIT $limit
