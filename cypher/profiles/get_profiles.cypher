// Live profiles that answer for the given ids, each with its cluster's identifiers and personas.
// params: brand, ids
// returns: asked_id, profile, personas, identifiers;
//   times in microseconds: the driver takes longer for one time than for all the rest of a row
// mode: read
UNWIND $ids AS asked_id
MATCH (asked:Customer {id: asked_id})
WHERE asked.brand = $brand
MATCH (root:Customer {id: asked.root_id})
CALL (root) {
  MATCH (p:Customer {root_id: root.id})
  WITH p ORDER BY p.created_at, p.id
  RETURN collect({id: p.id, recomputing: p.recomputing, strategies: COLLECT {
    MATCH (b:Brand {id: $brand}) RETURN b.trait_strategies }[0],
    traits: COLLECT {
    MATCH (p)-[:HAS_TRAIT]->(t:Trait)
    RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
      t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count] }}) AS personas
}
CALL (root) {
  MATCH (p:Customer {root_id: root.id})-[h:HAS_IDENTIFIER]->(i:Identifier)
  WHERE h.until IS NULL
  RETURN collect(DISTINCT [i.type, i.value]) AS identifiers
}
WITH asked_id, properties(root) AS root, personas, identifiers
RETURN asked_id, root {
    .id, .brand, .strength, .ltv_minor, .ltv_other, .currency, .total_orders, .event_count, .segment, .stage,
    .churn_probability, .merge_count, .version,
    first_seen: root.first_seen.epochSeconds * 1000000 + root.first_seen.microsecond,
    last_seen: root.last_seen.epochSeconds * 1000000 + root.last_seen.microsecond,
    created_at: root.created_at.epochSeconds * 1000000 + root.created_at.microsecond
  } AS profile, personas, identifiers
