// Events that wait for nobody any more: the identifier that asked for a person is shared at their time.
// params: brand, rows [[event id, decision]…], warning
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (e:Event {id: r[0]})
WHERE e.brand = $brand
SET e.decision = r[1], e.review_id = null, e.rules = ['shared'], e.warnings = coalesce(e.warnings, []) + [$warning]
