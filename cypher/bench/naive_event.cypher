// Bench, the naive way: one event, everything by MERGE, as tutorials show it.
// params: brand, rule_version, event {id, type, …, persona_id}, identifiers [{key, type, value, tier}…]
// returns: nothing
// mode: write
MERGE (e:Event {id: $event.id})
ON CREATE SET e.brand = $brand, e.rule_version = $rule_version, e.type = $event.type, e.channel = $event.channel,
  e.source = $event.source, e.occurred_at = $event.occurred_at, e.received_at = $event.received_at,
  e.payload = $event.payload, e.decision = $event.decision, e.persona_id = $event.persona_id,
  e.fingerprint = $event.fingerprint, e.trust = $event.trust, e.order_key = $event.order_key,
  e.amount_minor = $event.amount_minor, e.currency = $event.currency
MERGE (c:Customer {id: $event.persona_id})
ON CREATE SET c.brand = $brand, c.root_id = $event.persona_id, c.created_at = $event.occurred_at
MERGE (c)-[:PERFORMED]->(e)
WITH e, c
UNWIND $identifiers AS row
MERGE (i:Identifier {key: row.key})
ON CREATE SET i.brand = $brand, i.type = row.type, i.value = row.value, i.tier = row.tier,
  i.first_seen = $event.occurred_at
MERGE (c)-[h:HAS_IDENTIFIER]->(i)
ON CREATE SET h.since = $event.occurred_at, h.trust = $event.trust, h.source = $event.source, h.event_id = $event.id
MERGE (e)-[:CARRIES]->(i)
