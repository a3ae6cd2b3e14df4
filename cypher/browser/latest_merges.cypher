// The latest merges with survivor and absorbed, also those taken back
// params: brand
// returns: paths to draw
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.merge_count > 0
WITH c ORDER BY c.updated_at DESC LIMIT 25
MATCH (p:Customer {root_id: c.id})<-[:JOINED]-(m:Merge)
WITH DISTINCT m ORDER BY m.at DESC LIMIT 25
MATCH joined = (m)-[:JOINED]->(:Customer)
RETURN joined
