// Performed events that name another persona than the one that performed them, or have several.
// params: brand, limit
// returns: id, found, expected
// mode: read
MATCH (c:Customer)-[:PERFORMED]->(e:Event)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL
  AND (e.persona_id <> c.id OR e.persona_id IS NULL OR COUNT { (e)<-[:PERFORMED]-() } > 1)
RETURN e.id AS id, e.persona_id AS found, c.id AS expected
LIMIT $limit
