// Customers that are a live profile of one persona: own statistics and aggregate are the same numbers.
// params: brand, rows [[id, events, orders, money, other money, first seen, last seen, identifier_types, strength,
//   personas, merges, version]…], now (microseconds)
// returns: nothing
// mode: write
WITH datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}) AS now
UNWIND $rows AS r
MATCH (c:Customer {id: r[0]})
WHERE c.brand = $brand
WITH c, r, now,
  datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}) AS first,
  datetime({epochSeconds: r[6] / 1000000, nanosecond: (r[6] % 1000000) * 1000}) AS last
SET c.own_event_count = r[1], c.event_count = r[1],
  c.own_orders = r[2], c.total_orders = r[2],
  c.own_ltv_minor = r[3], c.ltv_minor = r[3],
  c.own_ltv_other = r[4], c.ltv_other = r[4],
  c.own_first_seen = first, c.first_seen = first,
  c.own_last_seen = last, c.last_seen = last,
  c.identifier_types = r[7], c.strength = r[8], c.version = r[11], c.updated_at = now
