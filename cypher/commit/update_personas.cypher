// Own statistics of known personas, absolute values computed under the root's lock.
// params: brand, rows [[id, events, orders, money, other money, first seen, last seen, own_channels, own_sales]…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (c:Customer {id: r[0]})
WHERE c.brand = $brand
SET c.own_event_count = r[1], c.own_orders = r[2], c.own_ltv_minor = r[3], c.own_ltv_other = r[4],
  c.own_channels = r[7], c.own_sales = r[8],
  c.own_first_seen = CASE WHEN r[5] IS NULL THEN null ELSE datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}) END,
  c.own_last_seen = CASE WHEN r[6] IS NULL THEN null ELSE datetime({epochSeconds: r[6] / 1000000, nanosecond: (r[6] % 1000000) * 1000}) END
