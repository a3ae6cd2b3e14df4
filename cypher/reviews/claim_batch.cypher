// Take a bulk decision to carry out, unless it is done or somebody else has it.
// params: brand, id, holder, now, lease_until
// returns: decision, reason, by, review_ids, position (how many of them are done)
// mode: write
MATCH (b:ReviewBatch {id: $id})
WHERE b.brand = $brand
SET b.brand = b.brand
WITH b
WHERE b.state = 'running' AND (b.lease_until <= $now OR b.holder = $holder)
SET b.holder = $holder, b.lease_until = $lease_until
RETURN b.decision AS decision, b.reason AS reason, b.by AS by, b.review_ids AS review_ids, size(b.results) AS position
