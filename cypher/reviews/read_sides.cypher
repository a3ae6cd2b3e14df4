// The live profiles that a review proposes, as a decision would find them, and what they hold; writes nothing.
// params: brand, roots
// returns: id, statistics [events, orders, money, other money, first seen, last seen (microseconds)], identifier_types,
//   strength, persona_count, merge_count, version, identifiers [[type, value, trust]…], traits, review_ids
// mode: read
UNWIND $roots AS root
MATCH (c:Customer {id: root})
WHERE c.brand = $brand
RETURN c.id AS id,
  [c.event_count, c.total_orders, c.ltv_minor, c.ltv_other,
    c.first_seen.epochSeconds * 1000000 + c.first_seen.microsecond,
    c.last_seen.epochSeconds * 1000000 + c.last_seen.microsecond] AS statistics,
  c.identifier_types AS identifier_types, c.strength AS strength, c.persona_count AS persona_count,
  c.merge_count AS merge_count, c.version AS version,
  COLLECT {
    MATCH (:Customer {root_id: root})-[h:HAS_IDENTIFIER]->(i:Identifier)
    WHERE h.until IS NULL
    RETURN DISTINCT [i.type, i.value, h.trust]
  } AS identifiers,
  COLLECT {
    MATCH (:Customer {root_id: root})-[:HAS_TRAIT]->(t:Trait)
    RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
      t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count]
  } AS traits,
  COLLECT {
    MATCH (:Customer {root_id: root})<-[:PROPOSES]-(v:Review)
    WHERE v.status = 'pending'
    RETURN DISTINCT v.id
  } AS review_ids
ORDER BY id
