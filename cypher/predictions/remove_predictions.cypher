// Take predictions away: those of live profiles of which nothing can be foretold, and those of personas absorbed into others.
// params: brand, ids (without a prediction), roots (whose absorbed personas keep none)
// returns: removed
// mode: write
CALL () {
  UNWIND $ids AS id
  MATCH (c:Customer {id: id})
  WHERE c.brand = $brand
  RETURN c
  UNION
  UNWIND $roots AS root
  MATCH (c:Customer {root_id: root})
  WHERE c.brand = $brand AND c.id <> root
  RETURN c
}
SET c.segment = null, c.churn_probability = null
WITH c
MATCH (c)-[:HAS_PREDICTION]->(p:Prediction)
DETACH DELETE p
RETURN count(*) AS removed
