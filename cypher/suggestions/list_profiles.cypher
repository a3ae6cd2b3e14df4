// One page of live profiles with what is compared of them, oldest first, after the cursor (after_at, after_id).
// params: brand, names (of traits), types (of contacts), after_at, after_id, limit
// returns: id, created_at, traits [[name, value (JSON), source, first, last (microseconds), count]…], contacts [[type, value]…]
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at >= $after_at AND c.id IS NOT NULL
  AND CASE WHEN c.created_at = $after_at THEN c.id > $after_id ELSE true END
  AND c.root_id = c.id
WITH c ORDER BY c.brand, c.created_at, c.id LIMIT $limit
RETURN c.id AS id, c.created_at AS created_at,
  COLLECT {
    MATCH (:Customer {root_id: c.id})-[:HAS_TRAIT]->(t:Trait)
    WHERE t.name IN $names
    WITH t ORDER BY t.last_at DESC, t.key LIMIT 500
    RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
      t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count]
  } AS traits,
  COLLECT {
    MATCH (:Customer {root_id: c.id})-[h:HAS_IDENTIFIER]->(i:Identifier)
    WHERE h.until IS NULL AND i.type IN $types AND i.shared_since IS NULL
    WITH DISTINCT i ORDER BY i.key LIMIT 100
    RETURN [i.type, i.value]
  } AS contacts
