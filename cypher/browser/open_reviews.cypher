// Reviews that wait for a person, oldest first, with the profiles they propose to merge
// params: brand
// returns: paths to draw
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.status = 'pending' AND v.created_at IS NOT NULL
WITH v ORDER BY v.created_at LIMIT 25
MATCH proposed = (v)-[:PROPOSES]->(:Customer)
RETURN proposed
