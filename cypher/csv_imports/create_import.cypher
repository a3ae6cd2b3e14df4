// A new import, unless one of the same file with the same options is under way: then that one.
// params: brand, id, digest, options (JSON), properties, at
// returns: import
// mode: write
MATCH (b:Brand {id: $brand})
// The brand is the lock: of two uploads of one file at once the second finds the first.
SET b.id = b.id
WITH b
OPTIONAL MATCH (known:CsvImport)
WHERE known.brand = $brand AND known.state IN ['queued', 'running'] AND known.digest = $digest AND known.options = $options
WITH b, head(collect(known)) AS known
FOREACH (_ IN CASE WHEN known IS NULL THEN [1] ELSE [] END |
  MERGE (i:CsvImport {id: $id})
  ON CREATE SET i += $properties, i.brand = $brand, i.digest = $digest, i.options = $options, i.state = 'queued',
    i.created_at = $at, i.updated_at = $at
)
WITH known
OPTIONAL MATCH (made:CsvImport {id: $id}) WHERE made.brand = $brand
RETURN properties(coalesce(known, made)) AS import
