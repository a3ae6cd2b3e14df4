// The oldest marks of a kind: how much work each stands for, and whether somebody has taken it.
// params: kind, window (marks that are looked at)
// returns: marks (of one record) [[id, profiles, created_at, taken_at or null, tries]…], oldest first, times in microseconds
// mode: read
MATCH (m:Mark)
WHERE m.kind = $kind AND m.created_at IS NOT NULL
WITH m ORDER BY m.kind, m.created_at LIMIT $window
RETURN collect([m.id, size(coalesce(m.profile_ids, [])), m.created_at.epochSeconds * 1000000 + m.created_at.microsecond,
  m.taken_at.epochSeconds * 1000000 + m.taken_at.microsecond, coalesce(m.tries, 1)]) AS marks
