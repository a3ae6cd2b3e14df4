// The largest clusters: profiles with most personas, a table
// params: brand
// returns: profile, personas, identifiers, events, orders, strength
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.root_id = c.id
RETURN c.id AS profile, c.persona_count AS personas, c.identifier_count AS identifiers, c.event_count AS events,
  c.total_orders AS orders, c.strength AS strength
ORDER BY personas DESC, identifiers DESC
LIMIT 25
