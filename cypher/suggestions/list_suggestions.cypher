// One page of suggestions in the given statuses, the likeliest first, after the cursor (before_weight, before_id).
// params: brand, statuses, blocking_rule (or null), min_weight, before_weight, before_id, limit
// returns: review, profiles
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.kind = 'suggestion' AND v.match_weight >= $min_weight
  AND v.match_weight <= $before_weight AND v.id IS NOT NULL
  AND CASE WHEN v.match_weight = $before_weight THEN v.id < $before_id ELSE true END
  AND v.status IN $statuses AND ($blocking_rule IS NULL OR v.blocking_rule = $blocking_rule)
WITH v ORDER BY v.brand DESC, v.kind DESC, v.match_weight DESC, v.id DESC LIMIT $limit
RETURN properties(v) AS review, COLLECT {
  MATCH (v)-[:PROPOSES]->(c:Customer)
  RETURN {id: c.id, root_id: c.root_id}
} AS profiles
ORDER BY v.match_weight DESC, v.id DESC
