// What a profile was at a moment: the events of its personas until then (without those in `left`, with those in `came`),
// the facts of the orders that may be theirs, and how often its identifiers had been seen.
// params: brand, at, personas, came, left (event ids), placers (personas whose orders are read), keys (identifier keys),
//   merge_ids (merges that stood then)
// returns: channels [[channel, events]…], span [first, last],
//   said [[persona id, source, at (microseconds), traits (JSON)]…],
//   orders [[key, facts (JSON)]…], identifiers [[key, tier, first seen, last seen until then, count until then, flags, shared since]…],
//   strategies, last_merge of those, null without one
// mode: read
CALL () {
  CALL () {
    UNWIND $personas AS id
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.occurred_at <= $at AND e.id IS NOT NULL AND NOT e.id IN $left
    RETURN e
    UNION ALL
    UNWIND $came AS id
    MATCH (e:Event {id: id})
    RETURN e
  }
  WITH e
  WHERE e.brand = $brand
  WITH e.channel AS channel, count(e) AS events, min(e.occurred_at) AS first, max(e.occurred_at) AS last,
    collect(CASE WHEN e.traits IS NOT NULL THEN [e.persona_id, e.source,
      e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, e.traits] END) AS said
  RETURN collect([channel, events]) AS channels, [min(first), max(last)] AS span,
    reduce(all = [], part IN collect(said) | all + part) AS said
}
CALL () {
  UNWIND $placers AS id
  MATCH (c:Customer {id: id})-[:PLACED]->(o:Order)
  WHERE c.brand = $brand
  RETURN collect([o.key, o.facts]) AS orders
}
CALL () {
  UNWIND $keys AS key
  MATCH (i:Identifier {key: key})
  WHERE i.brand = $brand
  CALL (i) {
    MATCH (i)<-[:CARRIES]-(e:Event)
    WHERE e.occurred_at <= $at
    RETURN count(e) AS count, max(e.occurred_at) AS last
  }
  RETURN collect([i.key, i.tier, i.first_seen, last, count, i.flags,
    i.shared_since.epochSeconds * 1000000 + i.shared_since.microsecond]) AS identifiers
}
CALL () {
  MATCH (b:Brand {id: $brand})
  RETURN collect(b.trait_strategies) AS strategies
}
CALL () {
  UNWIND $merge_ids AS id
  MATCH (m:Merge {id: id})
  WHERE m.brand = $brand
  WITH m, coalesce(m.occurred_at, m.tied_at, m.at) AS since ORDER BY since DESC, m.id DESC
  RETURN head(collect({
    merge_id: m.id, at: m.at, reason: m.reason, decided_by: m.decided_by, survivor_id: m.survivor_id,
    absorbed_ids: m.absorbed_ids
  })) AS last_merge
}
RETURN channels, span, said, orders, identifiers, strategies, last_merge
