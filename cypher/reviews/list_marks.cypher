// NOT_SAME marks that stand between these live profiles, by the personas that they were put on.
// params: brand, roots
// returns: id, root_id, other_id, other_root_id, by, at, reason
// mode: read
UNWIND $roots AS root
MATCH (p:Customer {root_id: root})
WHERE p.brand = $brand
MATCH (p)-[n:NOT_SAME]->(q:Customer)
WHERE n.ended_at IS NULL AND q.root_id IN $roots AND q.root_id <> root
RETURN p.id AS id, p.root_id AS root_id, q.id AS other_id, q.root_id AS other_root_id, n.by AS by, n.at AS at,
  n.reason AS reason
ORDER BY id, other_id
