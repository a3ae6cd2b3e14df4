// Give a run to one worker, unless somebody alive holds it.
// params: brand, id, token, now, until
// returns: run (properties)
// mode: write
MATCH (r:ModelRun {id: $id})
WHERE r.brand = $brand AND r.waiting IS NOT NULL
SET r.id = r.id
WITH r
WHERE r.lease_until IS NULL OR r.lease_until < $now
SET r.state = 'running', r.stage = 'starting', r.lease_token = $token, r.lease_until = $until,
  r.attempts = r.attempts + 1, r.started_at = coalesce(r.started_at, $now)
RETURN properties(r) AS run
