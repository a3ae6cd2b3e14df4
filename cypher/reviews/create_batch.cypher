// Keep a bulk decision about reviews; a second try of the same request finds the first one.
// params: brand, id, decision, reason, by, review_ids, left_out, now
// returns: id
// mode: write
MERGE (b:ReviewBatch {id: $id})
ON CREATE SET b.brand = $brand, b.decision = $decision, b.reason = $reason, b.by = $by, b.review_ids = $review_ids,
  b.left_out = $left_out, b.results = [], b.created_at = $now, b.lease_until = $now,
  b.state = CASE WHEN size($review_ids) = 0 THEN 'done' ELSE 'running' END,
  b.finished_at = CASE WHEN size($review_ids) = 0 THEN $now END
RETURN b.id AS id
