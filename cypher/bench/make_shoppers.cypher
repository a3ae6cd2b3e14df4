// Bench, scoring: live profiles with orders, as commits leave them.
// params: brand, rows [{id, at, last_at, channels, events, orders [[key, placed_at, minor, lines, channel]…]}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
CREATE (c:Customer {
  id: r.id, brand: $brand, root_id: r.id, currency: 'USD', created_at: r.at, updated_at: r.last_at, own_channels: r.channels,
  own_event_count: r.events, own_first_seen: r.at, own_last_seen: r.last_at, event_count: r.events,
  total_orders: size(r.orders), own_orders: size(r.orders), first_seen: r.at, last_seen: r.last_at, ltv_minor: 0,
  own_ltv_minor: 0, identifier_types: ['email'], strength: 40, persona_count: 1, merge_count: 0, version: 1
})
WITH c, r
UNWIND r.orders AS o
CREATE (c)-[:PLACED]->(:Order {
  key: o[0], brand: $brand, persona_id: r.id, source_instance: 'bench', order_id: o[0], status: 'completed',
  placed_at: o[1], total_minor: o[2], refunded_minor: 0, counted_minor: o[2], counts: true, currency: 'USD',
  lines: o[3], channel: o[4], facts: '[]'
})
