// One run.
// params: brand, id
// returns: run (properties)
// mode: read
MATCH (r:ModelRun {id: $id})
WHERE r.brand = $brand
RETURN properties(r) AS run
