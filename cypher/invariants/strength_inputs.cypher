// Live profiles whose list of identifier types or number of identifiers is not what their personas hold.
// params: brand, limit
// returns: id, found, expected
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL AND c.root_id = c.id
WITH c, COLLECT { MATCH (p:Customer {root_id: c.id})-[h:HAS_IDENTIFIER]->(i:Identifier) WHERE h.until IS NULL
  RETURN DISTINCT i.type ORDER BY i.type } AS types
WHERE c.identifier_types <> types
RETURN c.id AS id, c.identifier_types AS found, types AS expected
LIMIT $limit
