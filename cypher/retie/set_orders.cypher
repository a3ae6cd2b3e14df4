// Orders whose events changed hands: folded anew, placed by their new owners.
// params: brand, rows [{key, facts, persona_id, status, placed_at, total_minor, refunded_minor, counted_minor, counts, currency,
//   lines, channel, products, delivered_at, is_reowned}…] sorted by key
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (o:Order {key: r.key})
WHERE o.brand = $brand
SET o.facts = r.facts,
  o.persona_id = r.persona_id, o.status = r.status,
  o.placed_at = CASE WHEN r.placed_at IS NULL THEN null
    ELSE datetime({epochSeconds: r.placed_at / 1000000, nanosecond: (r.placed_at % 1000000) * 1000}) END,
  o.total_minor = r.total_minor, o.refunded_minor = r.refunded_minor, o.counted_minor = r.counted_minor,
  o.counts = r.counts, o.currency = r.currency, o.lines = r.lines, o.channel = r.channel, o.products = r.products,
  o.delivered_at = CASE WHEN r.delivered_at IS NULL THEN null
    ELSE datetime({epochSeconds: r.delivered_at / 1000000, nanosecond: (r.delivered_at % 1000000) * 1000}) END
WITH r, o
WHERE r.is_reowned
OPTIONAL MATCH (:Customer)-[old:PLACED]->(o)
DELETE old
WITH DISTINCT r, o
MATCH (c:Customer {id: r.persona_id})
CREATE (c)-[:PLACED]->(o)
