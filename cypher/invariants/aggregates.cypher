// Live profiles whose aggregate is not the fold of their personas.
// params: brand, limit
// returns: id, found [events, orders, money], expected [events, orders, money]
// mode: read
MATCH (c:Customer {brand: $brand})
WHERE c.root_id = c.id
MATCH (p:Customer {root_id: c.id})
WITH c, sum(p.own_event_count) AS events, sum(p.own_orders) AS orders, sum(p.own_ltv_minor) AS money, count(p) AS personas
WHERE c.event_count <> events OR c.total_orders <> orders OR c.ltv_minor <> money OR c.persona_count <> personas
RETURN c.id AS id, [c.event_count, c.total_orders, c.ltv_minor] AS found, [events, orders, money] AS expected
LIMIT $limit
