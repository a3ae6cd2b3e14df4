// One page of a brand's sets of transformations, newest first, and which one counts.
// params: brand, before_at, before_id, limit
// returns: version, steps (JSON), note, created_at, created_by, activated_at, is_active, id
// mode: read
MATCH (b:Brand {id: $brand})
MATCH (t:TransformationSet)
WHERE t.brand = $brand AND t.created_at <= $before_at
  AND CASE WHEN t.created_at = $before_at THEN t.id < $before_id ELSE true END
RETURN t.version AS version, t.steps AS steps, t.note AS note, t.created_at AS created_at, t.created_by AS created_by,
  t.activated_at AS activated_at, coalesce(b.transformation_version = t.version, false) AS is_active, t.id AS id
ORDER BY t.created_at DESC, t.id DESC
LIMIT $limit
