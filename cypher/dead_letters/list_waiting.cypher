// Ids of a brand's messages in one state, oldest first.
// params: brand, limit, state, way, code (null for all)
// returns: id
// mode: read
MATCH (d:DeadLetter {brand: $brand})
WHERE coalesce(d.state, 'waiting') = $state AND ($way IS NULL OR d.way = $way) AND ($code IS NULL OR d.code = $code)
WITH d ORDER BY d.received_at, d.id LIMIT $limit
RETURN d.id AS id
