// Live profiles of a brand in pages: what a change of rules would touch.
// params: brand, after, limit
// returns: id, ltv_minor, identifiers ["type:value"…]
// mode: read
MATCH (c:Customer {brand: $brand})
WHERE c.id > $after AND c.root_id = c.id
WITH c ORDER BY c.id LIMIT $limit
RETURN c.id AS id, c.ltv_minor AS ltv_minor,
  COLLECT { MATCH (p:Customer {root_id: c.id})-[h:HAS_IDENTIFIER]->(i:Identifier) WHERE h.until IS NULL
    RETURN i.type + ':' + i.value } AS identifiers
