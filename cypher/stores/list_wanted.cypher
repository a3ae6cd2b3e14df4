// The newest stored intents, each with the store that its customer was last seen in.
// params: brand, product (or null for all), since, limit
// returns: product_id, profile_id, full, last_at, visit (JSON of the newest sign of presence, or null)
// mode: read
CALL () {
  WITH 1 AS _
  WHERE $product IS NULL
  MATCH (n:Intent)
  WHERE n.brand = $brand AND n.last_at >= $since
  RETURN n ORDER BY n.brand DESC, n.last_at DESC LIMIT $limit
  UNION ALL
  WITH 1 AS _
  WHERE $product IS NOT NULL
  MATCH (n:Intent)
  WHERE n.brand = $brand AND n.product_id = $product AND n.last_at >= $since
  RETURN n ORDER BY n.brand DESC, n.product_id DESC, n.last_at DESC LIMIT $limit
}
WITH n.product_id AS product_id, n.profile_id AS profile_id, n.full AS full, n.last_at AS last_at
// One that is replaced before its properties are read has none.
WHERE product_id IS NOT NULL AND profile_id IS NOT NULL AND full IS NOT NULL AND last_at IS NOT NULL
RETURN product_id, profile_id, full, last_at, COLLECT {
  MATCH (p:Customer {root_id: profile_id})
  CALL (p) {
    MATCH (e:Event)
    WHERE e.persona_id = p.id AND e.visit_at IS NOT NULL AND e.id IS NOT NULL
    RETURN e ORDER BY e.persona_id DESC, e.visit_at DESC, e.id DESC LIMIT 1
  }
  RETURN e.visit ORDER BY e.visit_at DESC LIMIT 1
}[0] AS visit
