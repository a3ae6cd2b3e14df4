// One page of a brand's definitions by name, with the version up to which all profiles are computed and the run under way.
// params: brand, after, limit, waiting (brand|kind of the run)
// returns: definition (properties), ready_version, run (properties)
// mode: read
MATCH (d:TraitDefinition)
WHERE d.brand = $brand AND d.name > $after
WITH d, properties(d) AS definition
WHERE definition.version IS NOT NULL  // not deleted while it is read
WITH definition ORDER BY d.brand, d.name LIMIT $limit
OPTIONAL MATCH (s:TraitSet {id: $brand})
OPTIONAL MATCH (r:ModelRun {waiting: $waiting})
RETURN definition, s.ready_version AS ready_version, properties(r) AS run
ORDER BY definition.name
