// One definition, with the version up to which all profiles are computed and the run under way.
// params: brand, key, waiting (brand|kind of the run)
// returns: definition (properties), ready_version, run (properties)
// mode: read
MATCH (d:TraitDefinition {key: $key})
WHERE d.brand = $brand
WITH properties(d) AS definition
WHERE definition.version IS NOT NULL  // not deleted while it is read
OPTIONAL MATCH (s:TraitSet {id: $brand})
OPTIONAL MATCH (r:ModelRun {waiting: $waiting})
RETURN definition, s.ready_version AS ready_version, properties(r) AS run
