// One page of a brand's definitions by name, with the version up to which all profiles are computed and the run under way.
// params: brand, after, limit, waiting (brand|kind of the run)
// returns: definition (properties), ready_version, run (properties)
// mode: read
MATCH (d:TraitDefinition)
WHERE d.brand = $brand AND d.name > $after
WITH d ORDER BY d.brand, d.name LIMIT $limit
OPTIONAL MATCH (s:TraitSet {id: $brand})
OPTIONAL MATCH (r:ModelRun {waiting: $waiting})
RETURN properties(d) AS definition, s.ready_version AS ready_version, properties(r) AS run
ORDER BY d.name
