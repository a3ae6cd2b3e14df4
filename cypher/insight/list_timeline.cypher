// One page of a cluster's events, newest first: the newest of each persona by the index, then merged.
// params: brand, id, from_at, before_at, before_id, channels, types, payload_bytes, limit
// returns: root_id, events; their times in microseconds
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
CALL (asked) {
  MATCH (p:Customer {root_id: asked.root_id})
  CALL (p) {
    MATCH (e:Event)
    WHERE e.persona_id = p.id AND e.occurred_at >= $from_at AND e.occurred_at <= $before_at AND e.id IS NOT NULL
      AND CASE WHEN e.occurred_at = $before_at THEN e.id < $before_id ELSE true END
      AND ($channels IS NULL OR e.channel IN $channels)
      AND ($types IS NULL OR e.type IN $types)
    RETURN e ORDER BY e.persona_id DESC, e.occurred_at DESC, e.id DESC LIMIT $limit
  }
  WITH e ORDER BY e.occurred_at DESC, e.id DESC LIMIT $limit
  CALL (e) {
    OPTIONAL MATCH (e)-[:CARRIES]->(i:Identifier)
    RETURN collect([i.type, i.value]) AS identifiers
  }
  RETURN collect({
    id: e.id, type: e.type, channel: e.channel, source: e.source, decision: e.decision,
    occurred_at: e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond,
    amount_minor: e.amount_minor, currency: e.currency, identifiers: identifiers,
    payload: CASE WHEN size(e.payload) <= $payload_bytes THEN e.payload END
  }) AS events
}
RETURN asked.root_id AS root_id, events
