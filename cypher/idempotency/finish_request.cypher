// Keep the answer of the run that holds the claim.
// params: key, brand, op, status, answer
// returns: kept
// mode: write
MATCH (k:IdempotencyKey {key: $key, brand: $brand})
WHERE k.op = $op
SET k.state = 'done', k.status = $status, k.answer = $answer
RETURN true AS kept
