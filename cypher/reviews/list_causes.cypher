// What the pending reviews of a brand are about, oldest first.
// params: brand, limit
// returns: id, kind, identifiers, rules, created_at, updated_at, profile_ids
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.status = 'pending' AND v.created_at IS NOT NULL
WITH v ORDER BY v.brand, v.status, v.created_at
LIMIT $limit
RETURN v.id AS id, coalesce(v.kind, 'rules') AS kind, v.identifiers AS identifiers, v.rules AS rules,
  v.created_at AS created_at, v.updated_at AS updated_at,
  COLLECT { MATCH (v)-[:PROPOSES]->(c:Customer) RETURN DISTINCT c.root_id } AS profile_ids
