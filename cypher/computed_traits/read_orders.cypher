// Counted orders of the clusters of live profiles, in no order: cancelled and fully refunded ones are left out.
// params: brand, ids, from_at
// returns: root, at (microseconds), key, minor, currency, channel, status, order_id, lines
// mode: read
UNWIND $ids AS root
MATCH (p:Customer {root_id: root})-[:PLACED]->(o:Order)
WHERE p.brand = $brand AND o.counts AND o.placed_at >= $from_at
RETURN root, o.placed_at.epochSeconds * 1000000 + o.placed_at.microsecond AS at, o.key AS key, o.counted_minor AS minor,
  o.currency AS currency, o.channel AS channel, o.status AS status, o.order_id AS order_id, o.lines AS lines
