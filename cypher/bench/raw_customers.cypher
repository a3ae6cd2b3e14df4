// Bench, raw limit: new customers with as many properties as the resolver gives them.
// params: brand, currency, rows [{id, at, amount, orders, types}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
CREATE (:Customer {
  id: r.id, brand: $brand, root_id: r.id, currency: $currency, created_at: r.at, updated_at: r.at,
  own_event_count: 1, own_orders: r.orders, own_ltv_minor: r.amount, own_first_seen: r.at, own_last_seen: r.at,
  event_count: 1, total_orders: r.orders, ltv_minor: r.amount, first_seen: r.at, last_seen: r.at,
  identifier_types: r.types, strength: 40, persona_count: 1, merge_count: 0, version: 1
})
