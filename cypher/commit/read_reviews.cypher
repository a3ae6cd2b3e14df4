// Open reviews that propose one of these live profiles, with all live profiles they propose; oldest first.
// params: brand, roots
// returns: id, reason, identifiers, event_ids, profile_ids
// mode: read
UNWIND $roots AS id
MATCH (p:Customer {root_id: id})<-[:PROPOSES]-(v:Review)
WHERE v.brand = $brand AND v.status = 'pending'
WITH DISTINCT v ORDER BY v.created_at, v.id
MATCH (v)-[:PROPOSES]->(c:Customer)
RETURN v.id, v.reason, v.identifiers, v.event_ids, collect(DISTINCT c.root_id)
