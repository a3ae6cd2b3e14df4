// Attach feature sets to profiles that are still live; an older version never replaces a newer one.
// params: brand, as_of, rows [{id, version, properties}…]
// returns: nothing
// mode: write
UNWIND $rows AS row
MATCH (c:Customer {id: row.id})
WHERE c.brand = $brand AND c.root_id = c.id
MERGE (f:FeatureSet {id: row.id})
ON CREATE SET f.brand = $brand
WITH c, f, row
WHERE coalesce(f.version, 0) <= row.version
SET f = row.properties
SET f.id = row.id, f.brand = $brand, f.version = row.version, f.as_of = $as_of
MERGE (c)-[:HAS_FEATURES]->(f)
