// Personas whose first or last seen is not the time of their earliest or latest event.
// params: brand, limit
// returns: id, found, expected
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL
CALL (c) {
  MATCH (c)-[:PERFORMED]->(e:Event)
  RETURN min(e.occurred_at) AS first, max(e.occurred_at) AS last
}
WITH c, first, last
WHERE coalesce(c.own_first_seen, 0) <> coalesce(first, 0) OR coalesce(c.own_last_seen, 0) <> coalesce(last, 0)
RETURN c.id AS id, [c.own_first_seen, c.own_last_seen] AS found, [first, last] AS expected
LIMIT $limit
