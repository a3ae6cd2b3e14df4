// Every link of a live profile to an identifier, ended ones included, newest first.
// params: brand, id
// returns: type, value, persona_id, since, until, trust, source, event_id, linked_by, unlinked_by, reason
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
MATCH (c:Customer {root_id: asked.root_id})-[h:HAS_IDENTIFIER]->(i:Identifier)
RETURN i.type AS type, i.value AS value, c.id AS persona_id, h.since AS since, h.until AS until, h.trust AS trust,
  h.source AS source, h.event_id AS event_id, h.linked_by AS linked_by, h.unlinked_by AS unlinked_by,
  coalesce(h.unlink_reason, h.reason) AS reason
ORDER BY h.since DESC, i.type, i.value
LIMIT 1000
