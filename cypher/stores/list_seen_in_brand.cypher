// Signs of presence in all stores of a brand, newest first, with the live profile of each; those of nobody are left out.
// params: brand, from_at, before_at, before_id, limit
// returns: id, at, root_id (null for a sign of nobody)
// mode: read
MATCH (e:Event)
WHERE e.brand = $brand AND e.visit_at >= $from_at AND e.visit_at <= $before_at AND e.id IS NOT NULL
  AND CASE WHEN e.visit_at = $before_at THEN e.id < $before_id ELSE true END
WITH e ORDER BY e.brand DESC, e.visit_at DESC, e.id DESC LIMIT $limit
OPTIONAL MATCH (p:Customer {id: e.persona_id})
RETURN e.id AS id, e.visit_at AS at, p.root_id AS root_id
ORDER BY at DESC, id DESC
