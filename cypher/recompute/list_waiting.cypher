// Follow-ups of moved events of all brands that wait or are under way, oldest first.
// params: before, limit
// returns: id, brand
// mode: read
MATCH (r:Recompute)
WHERE r.created_at <= $before
RETURN r.id AS id, r.brand AS brand
ORDER BY r.created_at
LIMIT $limit
