// A first look: customers of the brand with all that they are known by
// params: brand
// returns: paths to draw
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL
WITH c LIMIT 25
MATCH held = (c)-[:HAS_IDENTIFIER]->(:Identifier)
OPTIONAL MATCH merged = (c)-[:MERGED_INTO]->(:Customer)
RETURN held, merged
