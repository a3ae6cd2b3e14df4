// The worker's sign of life, with how far it has come; nothing when the run is no longer its own or is to stop.
// params: brand, id, token, until, progress {stage, done, total, position}
// returns: id
// mode: write
MATCH (r:ModelRun {id: $id})
WHERE r.brand = $brand AND r.lease_token = $token AND r.waiting IS NOT NULL AND r.cancelled_by IS NULL
SET r.lease_until = $until, r += $progress
RETURN r.id AS id
