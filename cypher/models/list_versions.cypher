// One page of a brand's model versions, newest first, after the cursor (before_at, before_id).
// params: brand, before_at, before_id, limit
// returns: model (properties)
// mode: read
MATCH (m:ModelVersion)
WHERE m.brand = $brand AND m.created_at <= $before_at AND m.id IS NOT NULL
  AND CASE WHEN m.created_at = $before_at THEN m.id < $before_id ELSE true END
RETURN properties(m) AS model
ORDER BY m.brand DESC, m.created_at DESC, m.id DESC
LIMIT $limit
