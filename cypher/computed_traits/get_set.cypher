// A brand's definitions in order of their names, the version of the set, and names whose values are to be taken away.
// The version is read first: definitions that change meanwhile may be newer than it says, never older. One that is
// deleted while it is read has no properties any more.
// params: brand
// returns: version, ready_version, forgotten, definitions [[definition (JSON text), version]…]
// mode: read
MATCH (s:TraitSet {id: $brand})
WITH s.version AS version, s.ready_version AS ready_version, s.forgotten AS forgotten
RETURN version, ready_version, forgotten, COLLECT {
  MATCH (d:TraitDefinition)
  WHERE d.brand = $brand AND d.name IS NOT NULL
  WITH d, properties(d) AS one
  WHERE one.definition IS NOT NULL AND one.version IS NOT NULL
  RETURN [one.definition, one.version] ORDER BY d.brand, d.name
} AS definitions
