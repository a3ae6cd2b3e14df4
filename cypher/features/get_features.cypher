// The feature set of the live profile that answers for an id; features are null while none was computed.
// params: brand, id
// returns: profile_id, version, currency, features
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
MATCH (root:Customer {id: asked.root_id})
OPTIONAL MATCH (f:FeatureSet {id: root.id})
WITH root, properties(f) AS stored
// Those that are taken away before their properties are read have none.
RETURN root.id AS profile_id, root.version AS version, root.currency AS currency,
  CASE WHEN stored.as_of IS NOT NULL THEN stored END AS features
