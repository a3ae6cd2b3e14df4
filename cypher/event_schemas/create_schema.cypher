// A new version of the schema of an event type; the brand node is the lock that numbers them.
// params: brand, type, schema (JSON), mode, note, by, at, op (makes a second try the same), most (schemas of a brand)
// returns: version, is_full
// mode: write
MATCH (b:Brand {id: $brand})
SET b.id = b.id
WITH b
OPTIONAL MATCH (known:EventSchema) WHERE known.brand = $brand AND known.type = $type AND known.version IS NOT NULL
  AND known.op = $op
WITH b, head(collect(known.version)) AS known,
  COUNT { MATCH (s:EventSchema) WHERE s.brand = $brand AND s.type = $type AND s.version IS NOT NULL } AS versions,
  COUNT { MATCH (s:EventSchema) WHERE s.brand = $brand AND s.is_active IS NOT NULL } >= $most AS is_full
WITH known, coalesce(known, versions + 1) AS version, is_full
FOREACH (_ IN CASE WHEN known IS NULL AND NOT is_full THEN [1] ELSE [] END |
  MERGE (s:EventSchema {id: $brand + '|' + $type + '|' + toString(version)})
  ON CREATE SET s.brand = $brand, s.type = $type, s.version = version, s.schema = $schema, s.mode = $mode,
    s.note = $note, s.created_by = $by, s.created_at = $at, s.op = $op, s.is_active = false
)
RETURN version, known IS NULL AND is_full AS is_full
