// Let somebody else go on with a bulk decision.
// params: brand, id, holder, now
// returns: nothing
// mode: write
MATCH (b:ReviewBatch {id: $id})
WHERE b.brand = $brand AND b.holder = $holder
SET b.lease_until = $now
