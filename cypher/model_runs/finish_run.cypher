// A run ends, or goes back to wait for another worker.
// params: brand, id, token (null: whoever held it), state, error, now, facts {model_id, result}
// returns: id
// mode: write
MATCH (r:ModelRun {id: $id})
WHERE r.brand = $brand AND r.waiting IS NOT NULL AND ($token IS NULL OR r.lease_token = $token)
SET r.state = $state, r.stage = $state, r.error = $error, r.lease_until = null, r.lease_token = null, r.sent_at = null,
  r.waiting = CASE WHEN $state = 'queued' THEN r.waiting ELSE null END,
  r.finished_at = CASE WHEN $state = 'queued' THEN null ELSE $now END, r += $facts
RETURN r.id AS id
