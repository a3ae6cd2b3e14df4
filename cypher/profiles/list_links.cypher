// Every link of a live profile to an identifier, ended ones included, newest first.
// params: brand, id
// returns: type, value, persona_id, since, until, trust, source, event_id, linked_by, unlinked_by, reason
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
MATCH (c:Customer {root_id: asked.root_id})-[h:HAS_IDENTIFIER]->(i:Identifier)
WITH c.id AS persona_id, i.type AS type, i.value AS value, properties(h) AS link
// One that is drawn anew before its properties are read has none.
WHERE link.since IS NOT NULL
RETURN type, value, persona_id, link.since AS since, link.until AS until, link.trust AS trust, link.source AS source,
  link.event_id AS event_id, link.linked_by AS linked_by, link.unlinked_by AS unlinked_by,
  coalesce(link.unlink_reason, link.reason) AS reason
ORDER BY since DESC, type, value
LIMIT 1000
