// One page of customers' channels: for each live profile in order of creation, what it did before its first order, or at last.
// params: brand, after_at, after_id, limit (profiles), touches (events of each), window_days, left_out (event types)
// returns: id, created_at, bought, channels [[channel, at]…] newest first
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at >= $after_at AND c.id IS NOT NULL
WITH c
WHERE c.created_at > $after_at OR c.id > $after_id
WITH c ORDER BY c.brand, c.created_at, c.id LIMIT $limit
CALL (c) {
  OPTIONAL MATCH (o:Order)
  WHERE o.persona_id = c.id AND o.placed_at IS NOT NULL AND o.counts
  WITH o ORDER BY o.persona_id, o.placed_at LIMIT 1
  RETURN o.placed_at AS bought
}
CALL (c, bought) {
  WITH c, coalesce(bought, c.own_last_seen) AS until
  MATCH (e:Event)
  WHERE e.persona_id = c.id AND e.occurred_at <= until AND e.occurred_at >= until - duration({days: $window_days})
    AND e.id IS NOT NULL AND NOT e.type IN $left_out
  WITH e ORDER BY e.persona_id DESC, e.occurred_at DESC, e.id DESC LIMIT $touches
  RETURN collect([e.channel, e.occurred_at.epochSeconds]) AS channels
}
RETURN c.id AS id, c.created_at AS created_at, bought IS NOT NULL AS bought, channels
ORDER BY created_at, id
