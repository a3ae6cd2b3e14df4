// When a cluster's events in some channels were after a moment, oldest first.
// params: brand, id (of a profile), channels, after_at, after_id (smaller than all ids: the moment included), limit
// returns: events [{id, occurred_at}]
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
CALL (asked) {
  MATCH (p:Customer {root_id: asked.root_id})
  CALL (p) {
    MATCH (e:Event)
    WHERE e.persona_id = p.id AND e.occurred_at >= $after_at AND e.id IS NOT NULL
      AND CASE WHEN e.occurred_at = $after_at THEN e.id > $after_id ELSE true END
      AND e.channel IN $channels
    RETURN e ORDER BY e.persona_id, e.occurred_at, e.id LIMIT $limit
  }
  WITH e ORDER BY e.occurred_at, e.id LIMIT $limit
  RETURN collect({id: e.id, occurred_at: e.occurred_at}) AS events
}
RETURN events
