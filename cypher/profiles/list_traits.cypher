// Every value that any persona of a live profile was given, by trait, source and value.
// params: brand, id
// returns: root_id, traits [[name, value (JSON), source, first (microseconds), last, count]…]
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
RETURN asked.root_id AS root_id, COLLECT {
  MATCH (p:Customer {root_id: asked.root_id})-[:HAS_TRAIT]->(t:Trait)
  RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
    t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count]
} AS traits
