// Take the oldest marks that nobody is working on; marks taken before stale_before count as left behind.
// params: kind, window, limit, now, stale_before
// returns: id, brand, profile_ids
// mode: write
MATCH (m:Mark)
WHERE m.kind = $kind AND m.created_at IS NOT NULL
WITH m ORDER BY m.kind, m.created_at LIMIT $window
WHERE m.taken_at IS NULL OR m.taken_at < $stale_before
WITH m LIMIT $limit
SET m.taken_at = $now
RETURN m.id AS id, m.brand AS brand, m.profile_ids AS profile_ids
