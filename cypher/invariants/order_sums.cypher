// Personas whose orders and money are not the sum of the orders they placed (in the brand's currency).
// params: brand, limit
// returns: id, found [orders, money], expected [orders, money]
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL
WITH c, COLLECT { MATCH (c)-[:PLACED]->(o:Order) RETURN o } AS placed
WITH c, reduce(n = 0, o IN placed | n + CASE WHEN o.counts THEN 1 ELSE 0 END) AS orders,
  reduce(n = 0, o IN placed | n + CASE WHEN o.currency = c.currency THEN o.counted_minor ELSE 0 END) AS money,
  [o IN placed WHERE o.persona_id <> c.id] AS strangers
WHERE c.own_orders <> orders OR c.own_ltv_minor <> money OR size(strangers) > 0
RETURN c.id AS id, [c.own_orders, c.own_ltv_minor] AS found, [orders, money] AS expected
LIMIT $limit
