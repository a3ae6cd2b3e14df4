// Take the oldest marks that nobody is working on; marks taken before stale_before count as left behind.
// None while enough takings are under way: what comes in meanwhile waits and is worked off at once, each profile one time.
// params: kind, window, limit, now, stale_before, most (takings under way at the same time)
// returns: id, brand, profile_ids
// mode: write
MATCH (m:Mark)
WHERE m.kind = $kind AND m.created_at IS NOT NULL
WITH m ORDER BY m.kind, m.created_at LIMIT $window
WITH collect(CASE WHEN m.taken_at IS NULL OR m.taken_at < $stale_before THEN m END) AS free,
  count(DISTINCT CASE WHEN m.taken_at >= $stale_before THEN m.taken_at END) AS under_way
WHERE under_way < $most
UNWIND free[..$limit] AS m
SET m.taken_at = $now
RETURN m.id AS id, m.brand AS brand, m.profile_ids AS profile_ids
