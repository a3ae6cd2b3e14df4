// One page of a brand's syncs, of one connection where it is named, newest first, after the cursor (before_at, before_id).
// params: brand, connection, before_at, before_id, limit
// returns: sync
// mode: read
MATCH (s:CrmSync)
WHERE s.brand = $brand AND s.created_at <= $before_at AND s.id IS NOT NULL
  AND CASE WHEN s.created_at = $before_at THEN s.id < $before_id ELSE true END
  AND ($connection IS NULL OR s.connection = $connection)
RETURN properties(s) AS sync
ORDER BY s.brand DESC, s.created_at DESC, s.id DESC
LIMIT $limit
