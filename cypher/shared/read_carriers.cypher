// Events that carry a strong identifier, with what else of theirs links at their time, and who holds it now.
// params: brand, key
// returns: shared since (microseconds or null), holders [[persona id, root id]…], events [[id, at, persona id, root id,
//   [is strong, for each other usable identifier…], order key, decision, given by hand]…]
// mode: read
MATCH (i:Identifier {key: $key})
WHERE i.brand = $brand
CALL (i) {
  MATCH (i)<-[h:HAS_IDENTIFIER]-(c:Customer)
  WHERE h.until IS NULL
  RETURN collect([c.id, c.root_id]) AS holders
}
CALL (i) {
  MATCH (i)<-[:CARRIES]-(e:Event)
  WHERE e.occurred_at IS NOT NULL
  OPTIONAL MATCH (p:Customer {id: e.persona_id})
  RETURN collect([e.id, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, p.id, p.root_id,
    [(e)-[:CARRIES]->(o:Identifier) WHERE o.key <> $key AND o.tier <= 4
      AND (o.shared_since IS NULL OR e.occurred_at < o.shared_since) | o.tier <= 2],
    e.order_key, e.decision, e.attach_id IS NOT NULL]) AS events
}
RETURN i.shared_since.epochSeconds * 1000000 + i.shared_since.microsecond AS since, holders, events
