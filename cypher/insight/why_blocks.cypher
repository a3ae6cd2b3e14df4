// What people and rules put between two live profiles: marks that hold, pending reviews of both, merges taken back.
// params: brand, left, right (root ids), limit
// returns: marks [{by, at, reason}…], reviews [{id, reason, created_at, rule_version, rules}…],
//   merges [{merge_id, at, reason, decided_by, reverted_at, reverted_by, revert_reason}…]
// mode: read
CALL () {
  MATCH (p:Customer {root_id: $left})-[n:NOT_SAME]-(q:Customer)
  WHERE p.brand = $brand AND n.ended_at IS NULL AND q.root_id = $right
  WITH DISTINCT n ORDER BY n.at DESC, n.pair LIMIT $limit
  RETURN collect({by: n.by, at: n.at, reason: n.reason}) AS marks
}
CALL () {
  MATCH (p:Customer {root_id: $left})<-[:PROPOSES]-(v:Review {status: 'pending'})-[:PROPOSES]->(q:Customer)
  WHERE p.brand = $brand AND q.root_id = $right
  WITH DISTINCT v ORDER BY v.created_at, v.id LIMIT $limit
  CALL (v) {
    UNWIND v.event_ids[..10] AS id
    MATCH (e:Event {id: id})
    UNWIND e.rules AS rule
    RETURN collect(DISTINCT rule) AS rules
  }
  RETURN collect({id: v.id, reason: v.reason, created_at: v.created_at, rule_version: v.rule_version, rules: rules,
    has_events: size(v.event_ids) > 0}) AS reviews
}
CALL () {
  MATCH (p:Customer {root_id: $left})<-[:JOINED]-(m:Merge)-[:JOINED]->(q:Customer)
  WHERE p.brand = $brand AND q.root_id = $right AND m.reverted_at IS NOT NULL
  WITH DISTINCT m ORDER BY m.reverted_at DESC, m.id LIMIT $limit
  RETURN collect({merge_id: m.id, at: m.at, reason: m.reason, decided_by: m.decided_by, reverted_at: m.reverted_at,
    reverted_by: m.reverted_by, revert_reason: m.revert_reason}) AS merges
}
RETURN marks, reviews, merges
