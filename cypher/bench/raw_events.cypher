// Bench, raw limit: events with who performed them and what they carry, between nodes that exist.
// params: brand, rule_version, rows [{id, type, …, persona_id, keys}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (c:Customer {id: r.persona_id})
CREATE (c)-[:PERFORMED]->(e:Event {
  id: r.id, brand: $brand, rule_version: $rule_version, type: r.type, channel: r.channel, source: r.source,
  occurred_at: r.occurred_at, received_at: r.received_at, payload: r.payload, decision: r.decision,
  persona_id: r.persona_id, fingerprint: r.fingerprint, trust: r.trust, order_key: r.order_key,
  amount_minor: r.amount_minor, currency: r.currency
})
WITH e, r.keys AS keys
UNWIND keys AS key
MATCH (i:Identifier {key: key})
CREATE (e)-[:CARRIES]->(i)
