// What the pending reviews of a brand are about, oldest first; times are plain numbers, for there may be thousands.
// params: brand, limit
// returns: one row, a list of id, kind, identifiers, rules, created_at, updated_at (microseconds)
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.status = 'pending' AND v.created_at IS NOT NULL
WITH v ORDER BY v.brand, v.status, v.created_at
LIMIT $limit
RETURN collect([v.id, coalesce(v.kind, 'rules'), v.identifiers, v.rules,
  v.created_at.epochSeconds * 1000000 + v.created_at.microsecond,
  v.updated_at.epochSeconds * 1000000 + v.updated_at.microsecond]) AS rows
