// Open reviews that propose one of these live profiles (locked), with all live profiles they propose; oldest first.
// A suggestion is no evidence: it is neither extended nor joined with these. They are locked in id order, last in the lock order, and read after that: another writer may have extended one.
// params: brand, roots
// returns: one row, a list of id, reason, identifiers, event_ids, profile_ids, rules, apart (live profiles marked as not
//   the same as one of those)
// mode: write
UNWIND $roots AS id
MATCH (p:Customer {root_id: id})<-[:PROPOSES]-(v:Review)
WHERE v.brand = $brand AND v.status = 'pending' AND coalesce(v.kind, 'rules') = 'rules'
WITH DISTINCT v ORDER BY v.id
SET v.rule_version = v.rule_version
WITH collect(v) AS locked
UNWIND locked AS v
WITH v
WHERE v.status = 'pending'
MATCH (v)-[:PROPOSES]->(c:Customer)
WITH v, collect(DISTINCT c.root_id) AS profile_ids
ORDER BY v.created_at, v.id
CALL (profile_ids) {
  UNWIND profile_ids AS profile_id
  MATCH (:Customer {root_id: profile_id})-[n:NOT_SAME]-(q:Customer)
  WHERE n.ended_at IS NULL
  RETURN collect(DISTINCT q.root_id) AS apart
}
RETURN collect([v.id, v.reason, v.identifiers, v.event_ids, profile_ids, coalesce(v.rules, []), apart]) AS rows
