// What became of the next reviews of a bulk decision; nothing when another holder went on with it.
// params: brand, id, holder, position, outcomes (JSON texts), now, lease_until
// returns: done (whether that were the last)
// mode: write
MATCH (b:ReviewBatch {id: $id})
WHERE b.brand = $brand
SET b.brand = b.brand
WITH b
WHERE b.holder = $holder AND size(b.results) = $position
SET b.results = b.results + $outcomes, b.lease_until = $lease_until
WITH b, size(b.results) >= size(b.review_ids) AS is_done
SET b.state = CASE WHEN is_done THEN 'done' ELSE 'running' END, b.finished_at = CASE WHEN is_done THEN $now END
RETURN is_done AS done
