// Open or extend reviews; one that was joined into another is closed and names it.
// params: brand, rule_version, now, rows [{id, reason, identifiers, event_ids, rules, profile_ids, superseded_by}…] sorted by id
// returns: nothing
// mode: write
UNWIND $rows AS r
MERGE (v:Review {id: r.id})
ON CREATE SET v.brand = $brand, v.status = 'pending', v.rule_version = $rule_version,
  v.created_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
SET v.reason = r.reason, v.identifiers = r.identifiers, v.event_ids = r.event_ids, v.rules = r.rules,
  v.updated_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  v.superseded_by = r.superseded_by,
  v.status = CASE WHEN r.superseded_by IS NULL THEN v.status ELSE 'merged' END
// Stays when a proposed person is erased, so that a decision can say that there was one more.
SET v.proposed_ids = coalesce(v.proposed_ids, []) + [id IN r.profile_ids WHERE NOT id IN coalesce(v.proposed_ids, [])]
WITH r, v
UNWIND r.profile_ids AS profile_id
MATCH (c:Customer {id: profile_id})
SET c.has_neighbours = true
MERGE (v)-[:PROPOSES]->(c)
