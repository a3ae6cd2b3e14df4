// Merge records with a pointer from each absorbed profile to its survivor.
// params: brand, rule_version, now, rows [{id, survivor_id, absorbed_ids, reason, decided_by, identifiers,
//   cause_persona_ids, strong_cause_ids, weak_ids, occurred_at, tied_at (microseconds or null), event_id, before, after}…] in the order they were decided
// returns: nothing
// mode: write
UNWIND $rows AS r
CREATE (m:Merge {
  id: r.id, brand: $brand, at: datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  place: r.place, reason: r.reason, decided_by: r.decided_by, rule_version: $rule_version, survivor_id: r.survivor_id,
  absorbed_ids: r.absorbed_ids, identifiers: r.identifiers, cause_persona_ids: r.cause_persona_ids,
  strong_cause_ids: r.strong_cause_ids,
  occurred_at: CASE WHEN r.occurred_at IS NULL THEN null
    ELSE datetime({epochSeconds: r.occurred_at / 1000000, nanosecond: (r.occurred_at % 1000000) * 1000}) END,
  is_weak: CASE WHEN r.tied_at IS NOT NULL THEN true END,
  tied_at: CASE WHEN r.tied_at IS NULL THEN null
    ELSE datetime({epochSeconds: r.tied_at / 1000000, nanosecond: (r.tied_at % 1000000) * 1000}) END,
  event_id: r.event_id, before: r.before, after: r.after
})
WITH r, m
MATCH (s:Customer {id: r.survivor_id})
CREATE (m)-[:JOINED {role: 'survivor'}]->(s)
WITH r, m, s
UNWIND r.absorbed_ids AS absorbed_id
MATCH (a:Customer {id: absorbed_id})
CREATE (m)-[:JOINED {role: 'absorbed'}]->(a)
CREATE (a)-[:MERGED_INTO {link: r.id + '|' + absorbed_id, merge_id: r.id, at: m.at,
  weak: CASE WHEN absorbed_id IN r.weak_ids THEN true END}]->(s)
