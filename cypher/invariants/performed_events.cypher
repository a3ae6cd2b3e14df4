// Personas whose count of events is not the number they performed.
// params: brand, limit
// returns: id, found, expected
// mode: read
MATCH (c:Customer {brand: $brand})
WITH c, COUNT { (c)-[:PERFORMED]->(:Event) } AS performed
WHERE c.own_event_count <> performed
RETURN c.id AS id, c.own_event_count AS found, performed AS expected
LIMIT $limit
