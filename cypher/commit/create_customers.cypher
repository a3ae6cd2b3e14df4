// New personas with everything known of them at the end of the batch.
// params: brand, rows [[id, root_id, created_at, own events, own orders, own money, own other money, own first, own last,
//   events, orders, money, other money, first, last seen, identifier_types, strength, personas, merges, version]…], currency
// returns: nothing
// mode: write
UNWIND $rows AS r
CREATE (c:Customer {
  id: r[0], brand: $brand, root_id: r[1], currency: $currency,
  created_at: datetime({epochSeconds: r[2] / 1000000, nanosecond: (r[2] % 1000000) * 1000}),
  own_event_count: r[3], own_orders: r[4], own_ltv_minor: r[5], own_ltv_other: r[6],
  own_first_seen: datetime({epochSeconds: r[7] / 1000000, nanosecond: (r[7] % 1000000) * 1000}),
  own_last_seen: datetime({epochSeconds: r[8] / 1000000, nanosecond: (r[8] % 1000000) * 1000}),
  event_count: r[9], total_orders: r[10], ltv_minor: r[11], ltv_other: r[12],
  first_seen: datetime({epochSeconds: r[13] / 1000000, nanosecond: (r[13] % 1000000) * 1000}),
  last_seen: datetime({epochSeconds: r[14] / 1000000, nanosecond: (r[14] % 1000000) * 1000}),
  identifier_types: r[15], strength: r[16], persona_count: r[17], merge_count: r[18], version: r[19],
  updated_at: datetime({epochSeconds: r[2] / 1000000, nanosecond: (r[2] % 1000000) * 1000})
})
