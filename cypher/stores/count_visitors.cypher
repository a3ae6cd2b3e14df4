// How many customers were seen in a store since a moment, and by how many signs; at most so many signs are looked at.
// params: brand, store (key of the store), from_at, until, limit
// returns: visitors, signs
// mode: read
MATCH (e:Event)
WHERE e.visit_store = $store AND e.brand = $brand AND e.visit_at >= $from_at AND e.visit_at <= $until AND e.id IS NOT NULL
WITH e ORDER BY e.visit_store DESC, e.visit_at DESC, e.id DESC LIMIT $limit
OPTIONAL MATCH (p:Customer {id: e.persona_id})
RETURN count(DISTINCT p.root_id) AS visitors, count(e) AS signs
