// Aggregates of known live profiles, absolute values computed under their lock.
// params: brand, rows [[id, events, orders, money, other money, first seen, last seen, identifier_types, strength,
//   personas, merges, version, identifier count, is tied, has neighbours]…], now (microseconds)
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (c:Customer {id: r[0]})
WHERE c.brand = $brand
SET c.event_count = r[1], c.total_orders = r[2], c.ltv_minor = r[3], c.ltv_other = r[4],
  c.first_seen = CASE WHEN r[5] IS NULL THEN null ELSE datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}) END,
  c.last_seen = CASE WHEN r[6] IS NULL THEN null ELSE datetime({epochSeconds: r[6] / 1000000, nanosecond: (r[6] % 1000000) * 1000}) END,
  c.identifier_types = r[7], c.strength = r[8], c.persona_count = r[9], c.merge_count = r[10], c.version = r[11],
  c.identifier_count = r[12], c.is_tied = r[13], c.has_neighbours = r[14],
  c.updated_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
