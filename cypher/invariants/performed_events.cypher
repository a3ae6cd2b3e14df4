// Personas whose count of events is not the number they performed, or not the number that names them.
// params: brand, limit
// returns: id, found, expected [performed, naming it]
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL
CALL (c) {
  MATCH (e:Event)
  WHERE e.persona_id = c.id AND e.occurred_at IS NOT NULL AND e.id IS NOT NULL
  RETURN count(e) AS naming
}
WITH c, naming, COUNT { (c)-[:PERFORMED]->(:Event) } AS performed
WHERE c.own_event_count <> performed OR c.own_event_count <> naming
RETURN c.id AS id, c.own_event_count AS found, [performed, naming] AS expected
LIMIT $limit
