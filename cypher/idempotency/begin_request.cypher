// Claim an idempotency key for one run, or read what became of it; a run whose lease is over or an answer past its age is taken over.
// params: key, brand, body_hash, op, now, lease_until, oldest
// returns: owned (this operation may run), same_body, state, status, answer
// mode: write
MERGE (k:IdempotencyKey {key: $key})
ON CREATE SET k.brand = $brand, k.state = 'new'
// The SET takes the lock: of two requests at once the second reads the first one's claim.
SET k.seen_at = $now
WITH k, k.op = $op
  OR k.state = 'new'
  OR k.state = 'running' AND k.lease_until < $now AND k.body_hash = $body_hash
  OR k.state = 'done' AND k.created_at < $oldest AS owned
FOREACH (_ IN CASE WHEN owned THEN [1] ELSE [] END |
  SET k.state = 'running', k.op = $op, k.body_hash = $body_hash, k.created_at = $now, k.lease_until = $lease_until,
    k.status = null, k.answer = null)
RETURN owned, k.body_hash = $body_hash AS same_body, k.state AS state, k.status AS status, k.answer AS answer
