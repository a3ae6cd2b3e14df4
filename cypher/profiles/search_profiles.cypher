// One page of live profiles that hold an identifier whose key begins with one of the prefixes, newest created first.
// params: brand, prefixes, candidates, before_at, before_id, min_strength, seen_from, seen_to, limit
// returns: id, created_at
// mode: read
UNWIND $prefixes AS prefix
CALL (prefix) {
  MATCH (i:Identifier)
  WHERE i.key STARTS WITH prefix
  WITH i LIMIT $candidates
  MATCH (i)<-[h:HAS_IDENTIFIER]-(p:Customer)
  WHERE h.until IS NULL AND p.brand = $brand
  WITH p LIMIT $candidates
  RETURN p.root_id AS root_id
}
WITH DISTINCT root_id
MATCH (c:Customer {id: root_id})
WHERE c.created_at <= $before_at AND CASE WHEN c.created_at = $before_at THEN c.id < $before_id ELSE true END
  AND ($min_strength IS NULL OR c.strength >= $min_strength)
  AND ($seen_from IS NULL OR c.last_seen >= $seen_from)
  AND ($seen_to IS NULL OR c.last_seen < $seen_to)
RETURN c.id AS id, c.created_at AS created_at
ORDER BY created_at DESC, id DESC
LIMIT $limit
