// Create a definition or replace it by a changed one: the set's version counts on and is the definition's; an equal one
// changes nothing. The set is locked, so that versions and the number of definitions are exact.
// params: brand, key, name, type, definition (JSON text), description, must_be_new, most, by, now
// returns: outcome: created, changed, same, taken or full
// mode: write
MERGE (s:TraitSet {id: $brand})
ON CREATE SET s.version = 0, s.ready_version = 0, s.names = [], s.forgotten = []
SET s.brand = $brand
WITH s
OPTIONAL MATCH (d:TraitDefinition {key: $key})
WITH s, d, COUNT { MATCH (o:TraitDefinition) WHERE o.brand = $brand AND o.name IS NOT NULL } AS many
WITH s, d, CASE
  WHEN d IS NULL THEN CASE WHEN many >= $most THEN 'full' ELSE 'created' END
  WHEN d.definition = $definition THEN 'same'
  WHEN $must_be_new THEN 'taken'
  ELSE 'changed' END AS outcome
FOREACH (_ IN CASE WHEN outcome = 'same' THEN [1] ELSE [] END | SET d.description = $description)
FOREACH (_ IN CASE WHEN outcome IN ['created', 'changed'] THEN [1] ELSE [] END |
  SET s.version = s.version + 1, s.changed_at = $now
  SET s.names = [entry IN s.names WHERE NOT entry STARTS WITH $name + '|'] + [$name + '|' + toString(s.version) + '|' + $type],
    s.forgotten = [name IN s.forgotten WHERE name <> $name]
  MERGE (n:TraitDefinition {key: $key})
  ON CREATE SET n.brand = $brand, n.name = $name, n.created_at = $now, n.created_by = $by
  SET n.version = s.version, n.definition = $definition, n.description = $description, n.updated_at = $now, n.updated_by = $by
)
RETURN outcome
