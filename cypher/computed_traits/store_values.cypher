// Attach computed traits to profiles that are still live. What was computed from older definitions, from an older version
// of the profile, or earlier, never replaces what is newer.
// params: brand, rows [{id, set_version, version, computed_at, properties}…] by id
// returns: stored
// mode: write
UNWIND $rows AS row
MATCH (c:Customer {id: row.id})
WHERE c.brand = $brand AND c.root_id = c.id
MERGE (n:ComputedTraits {id: row.id})
SET n.brand = $brand
WITH c, n, row
WHERE n.set_version IS NULL OR n.set_version < row.set_version OR (n.set_version = row.set_version
  AND (n.version < row.version OR (n.version = row.version AND n.computed_at <= row.computed_at)))
SET n = row.properties
MERGE (c)-[:HAS_COMPUTED_TRAITS]->(n)
RETURN count(*) AS stored
