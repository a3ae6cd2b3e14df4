// The batch's events with who performed them and what they carry; each customer and identifier is looked up once.
// params: brand, rule_version, events [[id, type, channel, source, occurred, received, payload, decision, persona_id,
//   fingerprint, trust, order_key, amount_minor, currency, merge_id, merged_ids, review_id, warnings, rules, traits]…],
//   performed [[persona_id, [places in events]]…], carried [[identifier key, last seen, [places in events]]…]
// returns: performed, carried, misplaced (places that do not hold their event: always 0)
// mode: write
UNWIND $events AS r
CREATE (e:Event {
  id: r[0], brand: $brand, rule_version: $rule_version, type: r[1], channel: r[2], source: r[3],
  occurred_at: datetime({epochSeconds: r[4] / 1000000, nanosecond: (r[4] % 1000000) * 1000}),
  received_at: datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}),
  payload: r[6], decision: r[7], persona_id: r[8], fingerprint: r[9], trust: r[10], order_key: r[11],
  amount_minor: r[12], currency: r[13], merge_id: r[14], merged_ids: r[15], review_id: r[16], warnings: r[17],
  rules: r[18], traits: r[19]
})
WITH collect(e) AS events
CALL (events) {
  UNWIND $performed AS p
  MATCH (c:Customer {id: p[0]})
  UNWIND p[1] AS place
  WITH c, events[place] AS e
  CREATE (c)-[:PERFORMED]->(e)
  RETURN count(*) AS performed
}
CALL (events) {
  UNWIND $carried AS k
  MATCH (i:Identifier {key: k[0]})
  SET i.last_seen = CASE
    WHEN i.last_seen IS NULL OR i.last_seen.epochSeconds * 1000000 + i.last_seen.microsecond < k[1]
      THEN datetime({epochSeconds: k[1] / 1000000, nanosecond: (k[1] % 1000000) * 1000})
    ELSE i.last_seen END
  WITH i, k[2] AS places
  UNWIND places AS place
  WITH i, events[place] AS e
  CREATE (e)-[:CARRIES]->(i)
  RETURN count(*) AS carried
}
RETURN performed, carried, size([x IN range(0, size(events) - 1) WHERE events[x].id <> $events[x][0]]) AS misplaced
