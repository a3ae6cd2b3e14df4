// How many live profiles a brand has.
// params: brand
// returns: profiles
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.root_id = c.id
RETURN count(c) AS profiles
