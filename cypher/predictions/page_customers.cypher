// One page of live profiles with their orders, oldest first, after the cursor (after_at, after_id).
// params: brand, after_at, after_id, limit
// returns: id, created_at, version, currency, personas, orders (as in read_customers)
// mode: read
MATCH (root:Customer)
WHERE root.brand = $brand AND root.created_at >= $after_at AND root.id IS NOT NULL
  AND CASE WHEN root.created_at = $after_at THEN root.id > $after_id ELSE true END
  AND root.root_id = root.id
WITH root ORDER BY root.brand, root.created_at, root.id LIMIT $limit
RETURN root.id AS id, root.created_at AS created_at, coalesce(root.version, 0) AS version, root.currency AS currency,
  coalesce(root.persona_count, 1) AS personas, COLLECT {
    MATCH (p:Customer {root_id: root.id})-[:PLACED]->(o:Order)
    WHERE o.counts AND o.placed_at IS NOT NULL
    RETURN [CASE WHEN o.placed_at IS :: ZONED DATETIME THEN o.placed_at.epochMillis ELSE null END,
      o.counted_minor, o.refunded_minor, o.currency, o.lines,
      CASE WHEN o.refunded_minor > 0 THEN o.facts ELSE null END]
  } AS orders
