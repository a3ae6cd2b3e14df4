// The most valuable customers, a table in the brand's currency
// params: brand
// returns: profile, lifetime_value, currency, orders, last_seen
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.root_id = c.id
RETURN c.id AS profile, c.ltv_minor / 100.0 AS lifetime_value, c.currency AS currency, c.total_orders AS orders,
  c.last_seen AS last_seen
ORDER BY lifetime_value DESC
LIMIT 25
