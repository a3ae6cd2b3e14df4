// A live profile as evidence sees it: personas, what they hold or held, and the merges that point them at each other.
// params: brand, root, keys (identifiers that must be among the links), limit
// returns: personas, links [{persona_id, key, tier, flags, events, since, until, unlinked_by, trust, source, event_id}…],
//   pointers [{from_id, to_id, weak, merge_id, at, place, reason, decided_by, event_id, identifiers}…]
// mode: read
CALL () {
  MATCH (p:Customer {root_id: $root})
  WHERE p.brand = $brand
  WITH p ORDER BY p.created_at, p.id LIMIT $limit
  RETURN collect(p) AS members
}
CALL (members) {
  UNWIND members AS p
  MATCH (p)-[h:HAS_IDENTIFIER]->(i:Identifier)
  WITH p, h, i ORDER BY i.key IN $keys DESC, h.until IS NULL DESC, i.tier, i.key, p.id LIMIT $limit
  RETURN collect({persona_id: p.id, key: i.key, tier: i.tier, flags: i.flags, events: COUNT { (i)<-[:CARRIES]-() },
    since: h.since, until: h.until, unlinked_by: h.unlinked_by, trust: h.trust, source: h.source,
    event_id: h.event_id}) AS links
}
CALL (members) {
  UNWIND members AS p
  MATCH (p)-[m:MERGED_INTO]->(target:Customer)
  MATCH (record:Merge {id: m.merge_id})
  RETURN collect({from_id: p.id, to_id: target.id, weak: m.weak, merge_id: record.id, at: record.at,
    place: record.place, reason: record.reason, decided_by: record.decided_by, event_id: record.event_id,
    identifiers: record.identifiers}) AS pointers
}
RETURN [p IN members | p.id] AS personas, links, pointers
