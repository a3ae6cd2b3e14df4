// All that one batch needs to know before any lock, in one round trip: events stored already with the answer they got (the
// profile is the live one of now), who holds the identifiers (missing ones have no entry), who owns the orders. A link that was
// taken away while it was read is gone: nothing of it can be relied on. That is asked last, and of a contested one by its keys: a
// property that was read before is answered from then.
// params: brand, wanted: a map of ids (event ids), keys (identifier keys), order_keys
// returns: one row: known [[id, decision, profile_id, merged_ids, merge_id, review_id, warnings, fingerprint]…],
//   held [[key, flags, [[persona id, root id, trust, links version, is gone]…],
//   shared since (microseconds), people, timeline [[since, event id, persona id, root id, links version,
//     until when if a person ended it, is gone]…] of a contested one, last sighting (microseconds), whether a weak one was
//     somebody's before, or carried by somebody who did not take it]…],
//   owners [[persona id, root id]…]
// mode: read
CALL () {
  UNWIND $wanted.ids AS id
  MATCH (e:Event {id: id})
  WHERE e.brand = $brand
  OPTIONAL MATCH (p:Customer {id: e.persona_id})
  RETURN collect([e.id, e.decision, p.root_id, e.merged_ids, e.merge_id, e.review_id, e.warnings, e.fingerprint]) AS known
}
CALL () {
  UNWIND $wanted.keys AS key
  MATCH (i:Identifier {key: key})
  WHERE i.brand = $brand
  WITH i, [(i)<-[h:HAS_IDENTIFIER]-(c:Customer) | [h.until IS NULL, c.id, c.root_id, h.trust, c.links_version, h.since IS NULL]] AS links
  WITH i, links, [link IN links WHERE link[0] | link[1..]] AS holders
  RETURN collect([i.key, i.flags, holders, i.shared_since.epochSeconds * 1000000 + i.shared_since.microsecond, i.people,
    CASE WHEN 'contested' IN i.flags THEN [(i)<-[h:HAS_IDENTIFIER]-(c:Customer)
      | [h.since.epochSeconds * 1000000 + h.since.microsecond, h.event_id, c.id, c.root_id, c.links_version,
        CASE WHEN h.unlink_id IS NOT NULL THEN h.until.epochSeconds * 1000000 + h.until.microsecond END, size(keys(h)) = 0]] END,
  i.last_sighting.epochSeconds * 1000000 + i.last_sighting.microsecond,
  CASE WHEN i.tier IN [3, 4] AND (size(holders) < size(links) OR size(links) = 0 AND i.last_seen IS NOT NULL)
    THEN true END]) AS held
}
CALL () {
  UNWIND $wanted.order_keys AS key
  MATCH (o:Order {key: key})
  WHERE o.brand = $brand
  MATCH (c:Customer {id: o.persona_id})
  RETURN collect(DISTINCT [c.id, c.root_id]) AS owners
}
RETURN known, held, owners
