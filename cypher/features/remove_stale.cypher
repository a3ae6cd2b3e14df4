// Take away the feature sets of personas that were absorbed into one of these live profiles.
// params: brand, ids
// returns: removed
// mode: write
UNWIND $ids AS id
MATCH (p:Customer {root_id: id})-[:HAS_FEATURES]->(f:FeatureSet)
WHERE p.brand = $brand AND p.id <> id
DETACH DELETE f
RETURN count(*) AS removed
