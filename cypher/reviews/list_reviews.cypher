// One page of reviews in the given statuses, newest first, after the cursor (before_at, before_id), opened since `after_at`.
// params: brand, statuses, identifier (`type:value` or null), rule (or null), kind (or null), after_at, before_at,
//   before_id, limit
// returns: review, profiles
// mode: read
UNWIND $statuses AS status
CALL (status) {
  MATCH (v:Review)
  WHERE v.brand = $brand AND v.status = status AND v.created_at >= $after_at AND v.created_at <= $before_at
    AND CASE WHEN v.created_at = $before_at THEN v.id < $before_id ELSE true END
    AND ($identifier IS NULL OR $identifier IN v.identifiers)
    AND ($rule IS NULL OR $rule IN v.rules)
    AND ($kind IS NULL OR coalesce(v.kind, 'rules') = $kind)
  RETURN v ORDER BY v.brand DESC, v.status DESC, v.created_at DESC, v.id DESC LIMIT $limit
}
WITH v ORDER BY v.created_at DESC, v.id DESC LIMIT $limit
CALL (v) {
  MATCH (v)-[:PROPOSES]->(c:Customer)
  RETURN collect({id: c.id, root_id: c.root_id}) AS profiles
}
RETURN properties(v) AS review, profiles
ORDER BY v.created_at DESC, v.id DESC
