// Remove bulk decisions that were finished long ago, of all brands; the reviews keep how they were decided.
// params: before, limit
// returns: removed
// mode: write
MATCH (b:ReviewBatch)
WHERE b.state = 'done' AND b.lease_until < $before
WITH b LIMIT $limit
DELETE b
RETURN count(*) AS removed
