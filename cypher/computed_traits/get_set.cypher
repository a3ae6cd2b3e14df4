// A brand's definitions in order of their names, the version of the set, and names whose values are to be taken away.
// The version is read first: definitions that change meanwhile may be newer than it says, never older.
// params: brand
// returns: version, ready_version, forgotten, definitions [[definition (JSON text), version]…]
// mode: read
MATCH (s:TraitSet {id: $brand})
WITH s.version AS version, s.ready_version AS ready_version, s.forgotten AS forgotten
RETURN version, ready_version, forgotten, COLLECT {
  MATCH (d:TraitDefinition)
  WHERE d.brand = $brand AND d.name IS NOT NULL
  RETURN [d.definition, d.version] ORDER BY d.brand, d.name
} AS definitions
