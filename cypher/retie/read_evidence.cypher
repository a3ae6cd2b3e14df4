// All that decides the weak links of a neighbourhood whose live profiles are locked; times in microseconds.
// params: brand, find: a map of roots and keys (weak identifiers)
// returns: personas [[id, root id, own statistics (events, orders, money, other money, first, last seen),
//     held [[type, value, since, event id, until, trust, source, is unlinked, first seen,
//     is by hand, is gone]…]]…],
//   merges [[id, at, place, survivor id, absorbed ids, strong cause ids, is automatic, occurred at, event id]…] that hold,
//   pointers [[absorbed, survivor, merge id]…], not_same [[persona, persona]…],
//   joined [[persona, persona, occurred at, is gone]…] on strong evidence,
//   sightings [[event id, at, persona id, root id, signs in, [[type, value]…], order key]…],
//   pending [[at, persona id, [holder of a strong identifier…]]…] of events in open reviews
// mode: read
CALL () {
  UNWIND $find.roots AS root
  MATCH (c:Customer {root_id: root})
  WHERE c.brand = $brand
  RETURN collect(c) AS members
}
CALL (members) {
  UNWIND members AS c
  RETURN collect([c.id, c.root_id, c.own_event_count, c.own_orders, c.own_ltv_minor, c.own_ltv_other,
    c.own_first_seen.epochSeconds * 1000000 + c.own_first_seen.microsecond,
    c.own_last_seen.epochSeconds * 1000000 + c.own_last_seen.microsecond,
    [(c)-[h:HAS_IDENTIFIER]->(i:Identifier) | [i.type, i.value,
      h.since.epochSeconds * 1000000 + h.since.microsecond, h.event_id,
      h.until.epochSeconds * 1000000 + h.until.microsecond, h.trust, h.source,
      h.unlink_id IS NOT NULL, i.first_seen.epochSeconds * 1000000 + i.first_seen.microsecond,
      h.linked_by IS NOT NULL, size(keys(h)) = 0]]]) AS personas
}
CALL (members) {
  UNWIND members AS c
  MATCH (c)<-[:JOINED]-(m:Merge)
  WHERE m.reverted_at IS NULL
  WITH DISTINCT m
  RETURN collect([m.id, m.at.epochSeconds * 1000000 + m.at.microsecond, coalesce(m.place, 0), m.survivor_id,
    m.absorbed_ids, coalesce(m.strong_cause_ids, []), m.occurred_at IS NOT NULL OR m.is_weak IS NOT NULL,
    coalesce(m.occurred_at.epochSeconds * 1000000 + m.occurred_at.microsecond,
      m.tied_at.epochSeconds * 1000000 + m.tied_at.microsecond), m.event_id]) AS merges
}
CALL (members) {
  UNWIND members AS c
  MATCH (c)-[p:MERGED_INTO]->(s:Customer)
  RETURN collect([c.id, s.id, p.merge_id]) AS pointers
}
CALL (members) {
  UNWIND members AS c
  MATCH (c)-[n:NOT_SAME]-(q:Customer)
  WHERE n.ended_at IS NULL
  RETURN collect(DISTINCT CASE WHEN c.id < q.id THEN [c.id, q.id] ELSE [q.id, c.id] END) AS not_same
}
CALL (members) {
  UNWIND members AS c
  MATCH (c)-[s:SAME_CORE]->(q:Customer)
  OPTIONAL MATCH (e:Event {id: s.event_id})
  RETURN collect([c.id, q.id, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, s.event_id IS NULL]) AS joined
}
CALL () {
  UNWIND $find.keys AS key
  MATCH (i:Identifier {key: key})<-[:CARRIES]-(e:Event)
  WHERE i.brand = $brand AND e.is_sighting AND e.persona_id IS NOT NULL
    AND (i.shared_since IS NULL OR e.occurred_at <= i.shared_since)
  WITH DISTINCT e
  MATCH (p:Customer {id: e.persona_id})
  RETURN collect([e.id, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, e.persona_id, p.root_id,
    EXISTS { (e)-[:CARRIES]->(s:Identifier)
      WHERE s.tier <= 2 AND (s.shared_since IS NULL OR e.occurred_at < s.shared_since) },
    [(e)-[:CARRIES]->(w:Identifier) WHERE w.tier IN [3, 4] | [w.type, w.value]], e.order_key]) AS sightings
}
CALL (members) {
  UNWIND members AS c
  MATCH (c)<-[:PROPOSES]-(v:Review)
  WHERE v.status = 'pending'
  WITH DISTINCT v
  UNWIND v.event_ids AS id
  WITH DISTINCT id
  MATCH (e:Event {id: id})
  RETURN collect([e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, e.persona_id,
    [(e)-[:CARRIES]->(s:Identifier)<-[h:HAS_IDENTIFIER]-(q:Customer)
      WHERE s.tier <= 2 AND h.until IS NULL AND (s.shared_since IS NULL OR e.occurred_at < s.shared_since) | q.id]]) AS pending
}
RETURN personas, merges, pointers, not_same, joined, sightings, pending
