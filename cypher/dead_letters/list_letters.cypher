// A page of a brand's messages that could not be taken, newest first.
// params: brand, limit, state, way, code (null for all), before_at, before_id (null from the newest)
// returns: letter
// mode: read
MATCH (d:DeadLetter {brand: $brand})
WHERE ($before_at IS NULL OR d.received_at < $before_at OR (d.received_at = $before_at AND d.id > $before_id))
  AND ($state IS NULL OR coalesce(d.state, 'waiting') = $state)
  AND ($way IS NULL OR d.way = $way)
  AND ($code IS NULL OR d.code = $code)
WITH d ORDER BY d.received_at DESC, d.id LIMIT $limit
RETURN d {.*} AS letter
