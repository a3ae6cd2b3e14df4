// The oldest marks whose events are not in the streams yet, in the order of their commits.
// params: kind, limit
// returns: id, brand, event_ids
// mode: read
MATCH (m:Mark)
WHERE m.kind = $kind AND m.created_at IS NOT NULL
WITH m ORDER BY m.kind, m.created_at LIMIT $limit
WITH m.id AS id, m.brand AS brand, m.event_ids AS event_ids
// One whose work is done before its properties are read has none.
WHERE id IS NOT NULL AND brand IS NOT NULL
RETURN id, brand, event_ids
