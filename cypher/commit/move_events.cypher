// Stored events without identifiers of their own follow their order to its owner.
// The decision stays the first one, which a repeat is answered with.
// params: brand, rows [[event_id, persona_id]…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (e:Event {id: r[0]})
WHERE e.brand = $brand
OPTIONAL MATCH (:Customer)-[old:PERFORMED]->(e)
DELETE old
WITH DISTINCT r, e
MATCH (c:Customer {id: r[1]})
SET e.persona_id = r[1]
CREATE (c)-[:PERFORMED]->(e)
