// One version of a brand's models.
// params: brand, id
// returns: model (properties)
// mode: read
MATCH (m:ModelVersion {id: $id})
WHERE m.brand = $brand
RETURN properties(m) AS model
