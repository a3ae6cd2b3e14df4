// One page of the suggestions about a profile or one that it absorbed, the likeliest first, after the cursor.
// params: brand, profile_id, statuses, blocking_rule (or null), min_weight, before_weight, before_id, limit
// returns: review, profiles
// mode: read
MATCH (asked:Customer {id: $profile_id})
WHERE asked.brand = $brand
MATCH (p:Customer {root_id: asked.root_id})<-[:PROPOSES]-(v:Review)
WHERE v.brand = $brand AND v.kind = 'suggestion' AND v.match_weight >= $min_weight
  AND (v.match_weight < $before_weight OR (v.match_weight = $before_weight AND v.id < $before_id))
  AND v.status IN $statuses AND ($blocking_rule IS NULL OR v.blocking_rule = $blocking_rule)
WITH DISTINCT v ORDER BY v.match_weight DESC, v.id DESC LIMIT $limit
RETURN properties(v) AS review, COLLECT {
  MATCH (v)-[:PROPOSES]->(c:Customer)
  RETURN {id: c.id, root_id: c.root_id}
} AS profiles
ORDER BY v.match_weight DESC, v.id DESC
