// A likely pair enters the review queue, or the history when a brand's threshold merged it; the run counts it once.
// params: brand, id, left_id, right_id, run_id, now, properties
// returns: nothing
// mode: write
MATCH (a:Customer {id: $left_id})
WHERE a.brand = $brand
MATCH (b:Customer {id: $right_id})
WHERE b.brand = $brand
MERGE (v:Review {id: $id})
ON CREATE SET v = $properties, v.id = $id, v.brand = $brand, v.kind = 'suggestion', v.left_id = $left_id, v.right_id = $right_id,
  v.proposed_ids = [$left_id, $right_id], v.run_id = $run_id,
  v.created_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  v.updated_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
MERGE (v)-[:PROPOSES]->(a)
MERGE (v)-[:PROPOSES]->(b)
SET a.has_neighbours = true, b.has_neighbours = true
WITH v
MATCH (r:SuggestionRun {id: $run_id})
WHERE r.brand = $brand
SET r.proposed = r.proposed + CASE v.status WHEN 'pending' THEN 1 ELSE 0 END,
  r.merged = r.merged + CASE v.status WHEN 'pending' THEN 0 ELSE 1 END
