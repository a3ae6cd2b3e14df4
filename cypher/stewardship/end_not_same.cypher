// A person decided that these profiles are one: marks between their personas end and stay readable.
// params: brand, roots, by, now
// returns: ended
// mode: write
UNWIND $roots AS root
MATCH (p:Customer {root_id: root})
WHERE p.brand = $brand
MATCH (p)-[n:NOT_SAME]->(q:Customer)
WHERE n.ended_at IS NULL AND q.root_id IN $roots
SET n.ended_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}), n.ended_by = $by
RETURN count(n)
