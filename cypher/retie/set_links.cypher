// Who owns weak identifiers in time: replaces the links of these personas to each identifier. What a person made stays;
// only when it ends is set. A link without a source has that of its event.
// params: brand, personas, rows [{key, is_contested, shared_since (microseconds or null),
//   links [{persona_id, since, until, trust, source, event_id, is_by_hand}…]}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (i:Identifier {key: r.key})
WHERE i.brand = $brand
SET i.flags = CASE WHEN r.is_contested OR r.shared_since IS NOT NULL
    THEN [flag IN coalesce(i.flags, []) WHERE NOT flag IN ['contested', 'shared']]
      + CASE WHEN r.is_contested THEN ['contested'] ELSE [] END
      + CASE WHEN r.shared_since IS NULL THEN [] ELSE ['shared'] END
    ELSE [flag IN i.flags WHERE NOT flag IN ['contested', 'shared']] END,
  i.shared_since = CASE WHEN r.shared_since IS NULL THEN null
    ELSE datetime({epochSeconds: r.shared_since / 1000000, nanosecond: (r.shared_since % 1000000) * 1000}) END
WITH r, i
CALL (r, i) {
  MATCH (i)<-[h:HAS_IDENTIFIER]-(c:Customer)
  WHERE c.id IN $personas AND h.unlink_id IS NULL
  SET c.links_version = coalesce(c.links_version, 0) + 1
  FOREACH (drawn IN CASE WHEN h.linked_by IS NULL THEN [h] ELSE [] END | DELETE drawn)
}
CALL (r, i) {
  UNWIND r.links AS link
  WITH i, link WHERE link.is_by_hand
  MATCH (i)<-[h:HAS_IDENTIFIER {event_id: link.event_id}]-(c:Customer {id: link.persona_id})
  WHERE h.linked_by IS NOT NULL
  SET h.until = CASE WHEN link.until IS NULL THEN null
    ELSE datetime({epochSeconds: link.until / 1000000, nanosecond: (link.until % 1000000) * 1000}) END
}
CALL (r, i) {
  UNWIND r.links AS link
  WITH i, link WHERE NOT link.is_by_hand
  MATCH (c:Customer {id: link.persona_id})
  OPTIONAL MATCH (e:Event {id: CASE WHEN link.source = '' THEN link.event_id END})
  CREATE (c)-[:HAS_IDENTIFIER {
    since: datetime({epochSeconds: link.since / 1000000, nanosecond: (link.since % 1000000) * 1000}),
    until: CASE WHEN link.until IS NULL THEN null
      ELSE datetime({epochSeconds: link.until / 1000000, nanosecond: (link.until % 1000000) * 1000}) END,
    trust: coalesce(e.trust, link.trust), source: coalesce(e.source, link.source), event_id: link.event_id
  }]->(i)
}
