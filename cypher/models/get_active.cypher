// The version of the models that scores a brand's profiles now.
// params: brand
// returns: model (properties)
// mode: read
MATCH (m:ModelVersion {active: $brand})
RETURN properties(m) AS model
