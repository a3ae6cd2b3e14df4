// A run was handed to the workers.
// params: brand, id, now
// returns: nothing
// mode: write
MATCH (r:ModelRun {id: $id})
WHERE r.brand = $brand
SET r.sent_at = $now
