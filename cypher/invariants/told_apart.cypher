// Pairs that a person told apart and that are one live profile nevertheless.
// params: brand, limit
// returns: id, other, root_id
// mode: read
MATCH (a:Customer)-[n:NOT_SAME]->(b:Customer)
WHERE a.brand = $brand AND a.created_at IS NOT NULL AND a.id IS NOT NULL AND n.ended_at IS NULL AND a.root_id = b.root_id
RETURN a.id AS id, b.id AS other, a.root_id AS root_id
LIMIT $limit
