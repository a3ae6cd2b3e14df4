// How well customers are known: live profiles by strength, a table
// params: brand
// returns: strength, profiles
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.root_id = c.id
RETURN c.strength AS strength, count(*) AS profiles
ORDER BY strength DESC
