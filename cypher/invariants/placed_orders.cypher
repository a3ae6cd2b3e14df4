// Orders that are not placed exactly once, by the persona that they name; those that name nobody are placed by nobody.
// params: brand, limit
// returns: id, found, expected
// mode: read
MATCH (o:Order)
WHERE o.key STARTS WITH $brand + '|'
WITH o, COLLECT { MATCH (c:Customer)-[:PLACED]->(o) RETURN c.id } AS found,
  CASE WHEN o.persona_id IS NULL THEN [] ELSE [o.persona_id] END AS expected
WHERE found <> expected
RETURN o.key AS id, found, expected
LIMIT $limit
