// One page of a brand's imports, newest first, after the cursor (before_at, before_id).
// params: brand, before_at, before_id, limit
// returns: import
// mode: read
MATCH (i:CsvImport)
WHERE i.brand = $brand AND i.created_at <= $before_at AND i.id IS NOT NULL
  AND CASE WHEN i.created_at = $before_at THEN i.id < $before_id ELSE true END
RETURN properties(i) AS import
ORDER BY i.brand DESC, i.created_at DESC, i.id DESC
LIMIT $limit
