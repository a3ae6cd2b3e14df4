// The newest counted orders of a live profile and, for each, the customer's newest touchpoints within the window before it.
// params: brand, root, limit (orders), window_days, touches (touchpoints of each order and persona), left_out (event types)
// returns: one row for each order: key, order_id, at, minor, currency, touches [{id, channel, at (microseconds), type}…]
// mode: read
MATCH (p:Customer {root_id: $root})
WHERE p.brand = $brand
WITH collect(p.id) AS personas
CALL (personas) {
  UNWIND personas AS id
  CALL (id) {
    MATCH (o:Order)
    WHERE o.persona_id = id AND o.placed_at IS NOT NULL AND o.counts
    RETURN o ORDER BY o.persona_id DESC, o.placed_at DESC LIMIT $limit
  }
  RETURN o ORDER BY o.placed_at DESC, o.key DESC LIMIT $limit
}
CALL (personas, o) {
  UNWIND personas AS id
  CALL (id, o) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.occurred_at >= o.placed_at - duration({days: $window_days}) AND e.occurred_at <= o.placed_at
      AND e.id IS NOT NULL AND NOT e.type IN $left_out
    RETURN e ORDER BY e.persona_id DESC, e.occurred_at DESC, e.id DESC LIMIT $touches
  }
  RETURN collect({id: e.id, channel: e.channel, type: e.type,
    at: e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond}) AS touches
}
RETURN o.key AS key, o.order_id AS order_id, o.placed_at AS at, o.counted_minor AS minor, o.currency AS currency, touches
ORDER BY at DESC, key DESC
