// The latest events of one customer and the identifiers they carried
// params: brand, id (of a profile)
// returns: paths to draw
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
MATCH (persona:Customer {root_id: asked.root_id})
MATCH (e:Event)
WHERE e.persona_id = persona.id AND e.occurred_at IS NOT NULL AND e.id IS NOT NULL
WITH persona, e ORDER BY e.occurred_at DESC LIMIT 25
MATCH did = (persona)-[:PERFORMED]->(e)
OPTIONAL MATCH carried = (e)-[:CARRIES]->(:Identifier)
RETURN did, carried
