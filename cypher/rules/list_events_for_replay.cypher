// Events of a brand's personas in pages of personas, with what decides about them.
// params: brand, after, limit
// returns: persona_id, events [[id, occurred (microseconds), received (microseconds), trust, [[type, value]…]]…]
// mode: read
MATCH (c:Customer {brand: $brand})
WHERE c.id > $after
WITH c ORDER BY c.id LIMIT $limit
RETURN c.id AS persona_id, COLLECT {
  MATCH (c)-[:PERFORMED]->(e:Event)
  WHERE e.type IS NOT NULL
  RETURN [e.id, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond,
    e.received_at.epochSeconds * 1000000 + e.received_at.microsecond, e.trust,
    COLLECT { MATCH (e)-[:CARRIES]->(i:Identifier) RETURN [i.type, i.value] }]
} AS events
