// One page of a brand's runs, newest first, after the cursor (before_at, before_id).
// params: brand, before_at, before_id, limit
// returns: run (properties)
// mode: read
MATCH (r:ModelRun)
WHERE r.brand = $brand AND r.created_at <= $before_at AND r.id IS NOT NULL
  AND CASE WHEN r.created_at = $before_at THEN r.id < $before_id ELSE true END
RETURN properties(r) AS run
ORDER BY r.brand DESC, r.created_at DESC, r.id DESC
LIMIT $limit
