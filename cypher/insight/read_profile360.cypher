// The live profile that answers for an id, with its cluster's identifiers and merges.
// params: brand, id, with_identifiers, with_merges, limit
// returns: profile, personas, identifiers, merge_count, last_merge, prediction, trait_names, computed_traits
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
MATCH (root:Customer {id: asked.root_id})
CALL (root) {
  MATCH (p:Customer {root_id: root.id})
  WITH p ORDER BY p.created_at, p.id
  RETURN collect({id: p.id, last_seen: p.own_last_seen, recomputing: p.recomputing, channels: p.own_channels, sales: p.own_sales,
    strategies: COLLECT {
    MATCH (b:Brand {id: $brand}) RETURN b.trait_strategies }[0],
    traits: COLLECT {
    MATCH (p)-[:HAS_TRAIT]->(t:Trait)
    RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
      t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count] }}) AS personas
}
CALL (root) {
  WITH root WHERE $with_identifiers
  MATCH (p:Customer {root_id: root.id})-[h:HAS_IDENTIFIER]->(i:Identifier)
  WHERE h.until IS NULL
  WITH i, collect(DISTINCT h.source) AS sources, collect(DISTINCT h.trust) AS trusts, min(h.since) AS since LIMIT $limit
  RETURN collect({
    type: i.type, value: i.value, tier: i.tier, first_seen: i.first_seen, last_seen: i.last_seen, flags: i.flags,
    sources: sources, trusts: trusts, since: since, count: COUNT { (i)<-[:CARRIES]-() }
  }) AS identifiers
}
CALL (root) {
  WITH root WHERE $with_merges
  MATCH (p:Customer {root_id: root.id})<-[:JOINED]-(m:Merge)
  WHERE m.reverted_at IS NULL
  WITH DISTINCT m ORDER BY m.at DESC, coalesce(m.place, 0) DESC, m.id DESC
  RETURN count(m) AS merge_count, head(collect({
    merge_id: m.id, at: m.at, reason: m.reason, decided_by: m.decided_by, survivor_id: m.survivor_id,
    absorbed_ids: m.absorbed_ids
  })) AS last_merge
}
OPTIONAL MATCH (prediction:Prediction {id: root.id})
OPTIONAL MATCH (traits:TraitSet {id: $brand})
OPTIONAL MATCH (computed:ComputedTraits {id: root.id})
RETURN properties(root) AS profile, personas, identifiers, merge_count, last_merge, properties(prediction) AS prediction,
  traits.names AS trait_names, properties(computed) AS computed_traits
