// Live profiles of a brand with what they are known by, for the read bench.
// params: brand, limit
// returns: id, events, type, value
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.root_id = c.id
WITH c LIMIT $limit
MATCH (c)-[:HAS_IDENTIFIER]->(i:Identifier)
WHERE i.type IN ['email', 'phone']
WITH c, head(collect(i)) AS i
RETURN c.id AS id, c.event_count AS events, i.type AS type, i.value AS value
