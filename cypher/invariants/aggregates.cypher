// Live profiles whose aggregate is not the fold of their personas: counts, money in every currency, the span of time.
// params: brand, limit
// returns: id, found [events, orders, money, personas, identifiers, first seen, last seen], expected, other_found, other_expected
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL AND c.root_id = c.id
MATCH (p:Customer {root_id: c.id})
WITH c, sum(p.own_event_count) AS events, sum(p.own_orders) AS orders, sum(p.own_ltv_minor) AS money, count(p) AS personas,
  sum(COUNT { (p)-[h:HAS_IDENTIFIER]->() WHERE h.until IS NULL }) AS identifiers,
  min(p.own_first_seen) AS first, max(p.own_last_seen) AS last, collect(coalesce(p.own_ltv_other, [])) AS lists
WITH c, [events, orders, money, personas, identifiers] AS expected, first, last, reduce(all = [], one IN lists | all + one) AS others
CALL (others) {
  UNWIND others AS entry
  WITH split(entry, ':') AS parts
  WITH parts[0] AS currency, sum(toInteger(parts[1])) AS minor ORDER BY currency
  WHERE minor <> 0
  RETURN collect(currency + ':' + toString(minor)) AS other_expected
}
WITH c, expected, first, last, other_expected,
  [c.event_count, c.total_orders, c.ltv_minor, c.persona_count, c.identifier_count] AS found
WHERE found <> expected OR coalesce(c.ltv_other, []) <> other_expected
  OR coalesce(c.first_seen, 0) <> coalesce(first, 0) OR coalesce(c.last_seen, 0) <> coalesce(last, 0)
RETURN c.id AS id, found + [c.first_seen, c.last_seen] AS found, expected + [first, last] AS expected,
  c.ltv_other AS other_found, other_expected
LIMIT $limit
