// All merges that any persona of the profile's cluster took part in, newest first, those taken back included.
// params: brand, id, before_at, limit
// returns: root_id, merges
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
CALL (asked) {
  MATCH (p:Customer {root_id: asked.root_id})<-[:JOINED]-(m:Merge)
  WHERE m.at <= $before_at
  WITH DISTINCT m ORDER BY m.at DESC, coalesce(m.place, 0) DESC, m.id DESC LIMIT $limit
  RETURN collect(properties(m)) AS merges
}
RETURN asked.root_id AS root_id, merges
