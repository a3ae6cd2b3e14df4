// Orders of the live profiles that answer for the given ids: what predictions are made from.
// params: brand, ids
// returns: id, version, currency, personas, orders [[placed_at (ms since 1970, null when it is no time), counted_minor, refunded_minor, currency, lines, facts (when refunded)]…]
// mode: read
UNWIND $ids AS id
MATCH (asked:Customer {id: id})
WHERE asked.brand = $brand
WITH DISTINCT asked.root_id AS root_id
MATCH (root:Customer {id: root_id})
RETURN root.id AS id, coalesce(root.version, 0) AS version, root.currency AS currency,
  coalesce(root.persona_count, 1) AS personas, COLLECT {
    MATCH (p:Customer {root_id: root.id})-[:PLACED]->(o:Order)
    WHERE o.counts AND o.placed_at IS NOT NULL
    RETURN [CASE WHEN o.placed_at IS :: ZONED DATETIME THEN o.placed_at.epochMillis ELSE null END, o.counted_minor, o.refunded_minor, o.currency, o.lines,
      CASE WHEN o.refunded_minor > 0 THEN o.facts ELSE null END]
  } AS orders
