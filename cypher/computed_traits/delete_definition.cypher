// Take a definition away; its values go with the next pass over the brand's profiles and are shown to nobody before.
// params: brand, key, name, now
// returns: version of the set
// mode: write
MATCH (s:TraitSet {id: $brand})
SET s.brand = $brand
WITH s
MATCH (d:TraitDefinition {key: $key})
WHERE d.brand = $brand
DETACH DELETE d
SET s.version = s.version + 1, s.changed_at = $now
SET s.names = [entry IN s.names WHERE NOT entry STARTS WITH $name + '|'],
  s.forgotten = [name IN s.forgotten WHERE name <> $name] + [$name]
RETURN s.version AS version
