// Events that an identifier alone tells of go to whom it belongs at their time, or to nobody: then the rule is on them.
// params: brand, rows [[event id, persona id or null]…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (e:Event {id: r[0]})
WHERE e.brand = $brand
OPTIONAL MATCH (:Customer)-[old:PERFORMED]->(e)
DELETE old
WITH DISTINCT r, e
SET e.rules = CASE
    WHEN r[1] IS NULL THEN [rule IN coalesce(e.rules, []) WHERE rule <> 'shared'] + 'shared'
    WHEN e.decision = 'unattached' THEN [rule IN e.rules WHERE rule <> 'shared']
    ELSE e.rules END
SET e.persona_id = r[1],
  e.decision = CASE WHEN r[1] IS NULL THEN 'unattached' WHEN e.decision = 'unattached' THEN 'attached' ELSE e.decision END
WITH r, e
MATCH (c:Customer {id: r[1]})
CREATE (c)-[:PERFORMED]->(e)
