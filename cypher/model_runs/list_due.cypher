// Runs that no living worker holds, oldest first; those sent to the workers lately are left out.
// params: now, sent_before, limit
// returns: brand, id, attempts
// mode: read
MATCH (r:ModelRun)
WHERE r.waiting IS NOT NULL AND (r.lease_until IS NULL OR r.lease_until < $now)
  AND (r.sent_at IS NULL OR r.sent_at < $sent_before)
RETURN r.brand AS brand, r.id AS id, r.attempts AS attempts
ORDER BY r.created_at, r.id
LIMIT $limit
