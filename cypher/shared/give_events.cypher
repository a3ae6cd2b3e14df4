// Events that an identifier alone tells of go to whom it belongs at their time, or to nobody.
// params: brand, rows [[event id, persona id or null]…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (e:Event {id: r[0]})
WHERE e.brand = $brand
OPTIONAL MATCH (:Customer)-[old:PERFORMED]->(e)
DELETE old
WITH DISTINCT r, e
SET e.persona_id = r[1],
  e.decision = CASE WHEN r[1] IS NULL THEN 'unattached' WHEN e.decision = 'unattached' THEN 'attached' ELSE e.decision END
WITH r, e
MATCH (c:Customer {id: r[1]})
CREATE (c)-[:PERFORMED]->(e)
