// Profiles whose values change by themselves now, longest due first; one that is taken and not computed is due again later.
// params: now, again_at, limit
// returns: brand, id
// mode: write
MATCH (n:ComputedTraits)
WHERE n.due_at <= $now
WITH n ORDER BY n.due_at LIMIT $limit
SET n.due_at = $again_at
WITH n.brand AS brand, n.id AS id
// One that was taken away while this waited for its lock reads as nulls.
WHERE brand IS NOT NULL AND id IS NOT NULL
RETURN brand, id
