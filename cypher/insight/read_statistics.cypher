// What a cluster's statistics are folded from: its orders, its sales, and how many events came by each channel.
// params: brand, root_id
// returns: orders, sales, channels
// mode: read
MATCH (root:Customer {id: $root_id})
WHERE root.brand = $brand
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
  WHERE e.persona_id = p.id AND e.occurred_at IS NOT NULL AND e.id IS NOT NULL
  WITH e.channel AS channel, count(e) AS events, collect(
    CASE WHEN e.order_key IS NOT NULL AND e.type IN ['purchase', 'pos_transaction'] THEN
      {order_key: e.order_key, type: e.type, channel: e.channel, occurred_at: e.occurred_at, id: e.id}
    END) AS sales
  RETURN collect({channel: channel, events: events}) AS channels, reduce(all = [], part IN collect(sales) | all + part) AS sales
}
RETURN orders, sales, channels
