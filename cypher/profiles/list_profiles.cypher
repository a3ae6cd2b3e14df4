// One page of live profiles, newest created first, after the cursor (before_at, before_id).
// params: brand, before_at, before_id, min_strength, seen_from, seen_to, limit
// returns: id, created_at
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at <= $before_at AND c.id IS NOT NULL
  AND CASE WHEN c.created_at = $before_at THEN c.id < $before_id ELSE true END
  AND c.root_id = c.id
  AND ($min_strength IS NULL OR c.strength >= $min_strength)
  AND ($seen_from IS NULL OR c.last_seen >= $seen_from)
  AND ($seen_to IS NULL OR c.last_seen < $seen_to)
RETURN c.id AS id, c.created_at AS created_at
ORDER BY c.brand DESC, c.created_at DESC, c.id DESC
LIMIT $limit
