// Identifiers that point at too many people or that several profiles claim, with their holders
// params: brand
// returns: paths to draw
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.is_tied
WITH c LIMIT 2000
MATCH claimed = (c)-[:HAS_IDENTIFIER]->(i:Identifier)
WHERE i.flags IS NOT NULL
RETURN claimed
LIMIT 100
