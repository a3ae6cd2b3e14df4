// Stored events as the streams carry them; those that were removed since are missing.
// params: brand, ids
// returns: id, type, channel, source, occurred_at, received_at, payload, decision, profile_id, identifiers [[type, value]…],
//   amount_minor, currency, merge_id, review_id
// mode: read
UNWIND $ids AS id
MATCH (e:Event {id: id})
WHERE e.brand = $brand AND e.type IS NOT NULL
OPTIONAL MATCH (p:Customer {id: e.persona_id})
RETURN e.id AS id, e.type AS type, e.channel AS channel, e.source AS source, e.occurred_at AS occurred_at,
  e.received_at AS received_at, e.payload AS payload, e.decision AS decision, p.root_id AS profile_id,
  COLLECT { MATCH (e)-[:CARRIES]->(i:Identifier) RETURN [i.type, i.value] } AS identifiers,
  e.amount_minor AS amount_minor, e.currency AS currency, e.merge_id AS merge_id, e.review_id AS review_id
