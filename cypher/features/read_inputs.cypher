// What features are built from, for the live profiles that answer for the given ids: orders, sales, events before as_of.
// params: brand, ids, as_of
// returns: profile, orders, sales, channels
// mode: read
UNWIND $ids AS id
MATCH (asked:Customer {id: id})
WHERE asked.brand = $brand
WITH DISTINCT asked.root_id AS root_id
MATCH (root:Customer {id: root_id})
CALL (root) {
  MATCH (p:Customer {root_id: root.id})-[:PLACED]->(o:Order)
  RETURN collect({
    key: o.key, placed_at: o.placed_at, counted_minor: o.counted_minor, counts: o.counts, currency: o.currency,
    refunded_minor: o.refunded_minor, lines: o.lines
  }) AS orders
}
CALL (root) {
  MATCH (p:Customer {root_id: root.id})
  MATCH (e:Event)
  WHERE e.persona_id = p.id AND e.occurred_at < $as_of AND e.id IS NOT NULL
  WITH e.channel AS channel, count(e) AS events, min(e.occurred_at) AS first_at, max(e.occurred_at) AS last_at, collect(
    CASE WHEN e.order_key IS NOT NULL AND e.type IN ['purchase', 'pos_transaction'] THEN
      {order_key: e.order_key, type: e.type, channel: e.channel, occurred_at: e.occurred_at, id: e.id}
    END) AS sales
  RETURN collect({channel: channel, events: events, first_at: first_at, last_at: last_at}) AS channels,
    reduce(all = [], part IN collect(sales) | all + part) AS sales
}
RETURN {id: root.id, version: root.version, currency: root.currency, strength: root.strength,
  identifier_types: root.identifier_types, persona_count: root.persona_count, merge_count: root.merge_count} AS profile,
  orders, sales, channels
