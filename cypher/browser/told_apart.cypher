// People told apart: NOT_SAME marks that still stand
// params: brand
// returns: paths to draw
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL
MATCH apart = (c)-[n:NOT_SAME]->(:Customer)
WHERE n.ended_at IS NULL
RETURN apart
LIMIT 100
