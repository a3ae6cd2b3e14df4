// Bulk decisions that nobody is carrying out, of all brands.
// params: now, limit
// returns: id, brand
// mode: read
MATCH (b:ReviewBatch)
WHERE b.state = 'running' AND b.lease_until <= $now
MATCH (:Brand {id: b.brand})
RETURN b.id AS id, b.brand AS brand
ORDER BY b.lease_until
LIMIT $limit
