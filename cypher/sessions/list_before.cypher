// A cluster's events in some channels at or before a moment, newest first.
// params: brand, id (of a profile), channels, from_at, before_at, before_id (greater than all ids: the moment included), payload_bytes, limit
// returns: root_id, events
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
CALL (asked) {
  MATCH (p:Customer {root_id: asked.root_id})
  CALL (p) {
    MATCH (e:Event)
    WHERE e.persona_id = p.id AND e.occurred_at >= $from_at AND e.occurred_at <= $before_at AND e.id IS NOT NULL
      AND CASE WHEN e.occurred_at = $before_at THEN e.id < $before_id ELSE true END
      AND e.channel IN $channels
    RETURN e ORDER BY e.persona_id DESC, e.occurred_at DESC, e.id DESC LIMIT $limit
  }
  WITH e ORDER BY e.occurred_at DESC, e.id DESC LIMIT $limit
  RETURN collect({
    id: e.id, type: e.type, channel: e.channel, occurred_at: e.occurred_at, amount_minor: e.amount_minor,
    currency: e.currency, payload: CASE WHEN size(e.payload) <= $payload_bytes THEN e.payload END
  }) AS events
}
RETURN asked.root_id AS root_id, events
