// Pointers that weak evidence (or an earlier merge on strong evidence, by its id) makes, with a record for the new ones.
// params: brand, now, rule_version, rows [{id, weak, survivor_id, absorbed_id, identifiers, event_id,
//   tied_at (microseconds or null)}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MERGE (m:Merge {id: r.id})
ON CREATE SET m.brand = $brand, m.at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  m.place = 0, m.reason = 'weak_link', m.decided_by = 'rules', m.rule_version = $rule_version, m.survivor_id = r.survivor_id,
  m.absorbed_ids = [r.absorbed_id], m.identifiers = r.identifiers, m.cause_persona_ids = [], m.strong_cause_ids = [],
  m.occurred_at = null, m.event_id = r.event_id, m.is_weak = true,
  m.tied_at = CASE WHEN r.tied_at IS NULL THEN null
    ELSE datetime({epochSeconds: r.tied_at / 1000000, nanosecond: (r.tied_at % 1000000) * 1000}) END,
  m.before = '[]', m.after = '{}'
WITH r, m
MATCH (a:Customer {id: r.absorbed_id}), (s:Customer {id: r.survivor_id})
WHERE a.brand = $brand AND s.brand = $brand
MERGE (m)-[:JOINED {role: 'absorbed'}]->(a)
MERGE (m)-[:JOINED {role: 'survivor'}]->(s)
CREATE (a)-[:MERGED_INTO {link: r.id + '|' + r.absorbed_id, merge_id: r.id, at: m.at, weak: CASE WHEN r.weak THEN true END}]->(s)
