// What is compared of profiles: of the whole live profile, or of one persona alone.
// params: brand, names (of traits), types (of contacts), sides [[id, whether whole]…]
// returns: id, is_whole, traits [[name, value (JSON), source, first, last (microseconds), count]…], contacts [[type, value]…]
// mode: read
UNWIND $sides AS side
MATCH (c:Customer {id: side[0]})
WHERE c.brand = $brand
RETURN c.id AS id, side[1] AS is_whole,
  COLLECT {
    MATCH (p:Customer {root_id: c.root_id})-[:HAS_TRAIT]->(t:Trait)
    WHERE t.name IN $names AND (side[1] OR p.id = c.id)
    WITH t ORDER BY t.last_at DESC, t.key LIMIT 500
    RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
      t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count]
  } AS traits,
  COLLECT {
    MATCH (p:Customer {root_id: c.root_id})-[h:HAS_IDENTIFIER]->(i:Identifier)
    WHERE h.until IS NULL AND i.type IN $types AND i.shared_since IS NULL AND (side[1] OR p.id = c.id)
    WITH DISTINCT i ORDER BY i.key LIMIT 100
    RETURN [i.type, i.value]
  } AS contacts
