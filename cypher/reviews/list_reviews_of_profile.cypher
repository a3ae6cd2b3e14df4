// One page of the reviews that propose a profile or one that it absorbed, newest or oldest first.
// params: brand, profile_id, statuses, identifier (`type:value` or null), rule (or null), kind (or null), is_oldest_first,
//   before_at, before_id, after_at, after_id (bounds and cursor, both exclusive), limit
// returns: review, profiles
// mode: read
MATCH (asked:Customer {id: $profile_id})
WHERE asked.brand = $brand
MATCH (p:Customer {root_id: asked.root_id})<-[:PROPOSES]-(v:Review)
WHERE v.brand = $brand AND v.status IN $statuses
  AND (v.created_at < $before_at OR (v.created_at = $before_at AND v.id < $before_id))
  AND (v.created_at > $after_at OR (v.created_at = $after_at AND v.id > $after_id))
  AND ($identifier IS NULL OR $identifier IN v.identifiers)
  AND ($rule IS NULL OR $rule IN v.rules)
  AND ($kind IS NULL OR coalesce(v.kind, 'rules') = $kind)
WITH DISTINCT v
ORDER BY CASE WHEN NOT $is_oldest_first THEN v.created_at END DESC, CASE WHEN NOT $is_oldest_first THEN v.id END DESC,
  v.created_at, v.id
LIMIT $limit
RETURN properties(v) AS review, COLLECT {
  MATCH (v)-[:PROPOSES]->(c:Customer)
  RETURN {id: c.id, root_id: c.root_id}
} AS profiles
