// Give a claim back after a failure that a retry may heal, so that the retry runs.
// params: key, brand, op
// returns: key
// mode: write
MATCH (k:IdempotencyKey {key: $key, brand: $brand})
WHERE k.op = $op AND k.state = 'running'
SET k.state = 'new'
RETURN k.key AS key
