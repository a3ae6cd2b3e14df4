// Attach predictions to profiles that are still live; an older profile version or an earlier time never replaces a newer one.
// params: brand, at, model {id, brand, version, …}, rows [{id, version, segment, churn, properties}…]
// returns: nothing
// mode: write
MERGE (m:ModelVersion {id: $model.id})
ON CREATE SET m += $model
WITH m
UNWIND $rows AS row
MATCH (c:Customer {id: row.id})
WHERE c.brand = $brand AND c.root_id = c.id
MERGE (p:Prediction {id: row.id})
ON CREATE SET p.brand = $brand
WITH m, c, p, row
WHERE coalesce(p.version, 0) <= row.version AND (p.at IS NULL OR p.at <= $at)
SET p += row.properties, p.at = $at, c.segment = row.segment, c.churn_probability = row.churn
WITH m, c, p
WHERE NOT EXISTS { (c)-[:HAS_PREDICTION]->(p)-[:BY_MODEL]->(m) }
MERGE (c)-[:HAS_PREDICTION]->(p)
MERGE (p)-[:BY_MODEL]->(m)
WITH m, p
CALL (m, p) {
  MATCH (p)-[old:BY_MODEL]->(other:ModelVersion)
  WHERE other.id <> m.id
  DELETE old
}
