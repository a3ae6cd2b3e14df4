// Pending reviews that propose fewer than two live profiles, or only profiles that all stand apart as not the same.
// params: brand, limit
// returns: id
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.status = 'pending' AND v.created_at IS NOT NULL
WITH v, COLLECT { MATCH (v)-[:PROPOSES]->(c:Customer) RETURN DISTINCT c.root_id } AS roots
WITH v, roots, size(roots) * (size(roots) - 1) / 2 AS pairs
WHERE pairs = 0 OR pairs = CASE WHEN size(roots) > 20 THEN -1 ELSE COUNT {
  UNWIND roots AS root
  MATCH (:Customer {root_id: root})-[n:NOT_SAME]-(q:Customer)
  WHERE n.ended_at IS NULL AND q.root_id IN roots AND q.root_id > root
  RETURN DISTINCT root, q.root_id
} END
RETURN v.id AS id
ORDER BY id
LIMIT $limit
