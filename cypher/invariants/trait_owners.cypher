// Traits that are not had by exactly the persona that they name, or that were last said before they were first said.
// params: brand, limit
// returns: id, found, expected
// mode: read
MATCH (c:Customer)-[:HAS_TRAIT]->(t:Trait)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL
  AND (t.persona_id <> c.id OR COUNT { (:Customer)-[:HAS_TRAIT]->(t) } <> 1 OR t.last_at < t.first_at OR t.count < 1)
RETURN t.key AS id, t.persona_id AS found, c.id AS expected
LIMIT $limit
