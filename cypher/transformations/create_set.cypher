// A new set of transformations; the brand node is the lock that numbers them and keeps the key of its hashes.
// params: brand, prefix, steps (JSON), note, by, at, op (makes a second try the same), hash_key (for a brand without one)
// returns: version
// mode: write
MATCH (b:Brand {id: $brand})
SET b.hash_key = coalesce(b.hash_key, $hash_key)
WITH b
OPTIONAL MATCH (known:TransformationSet) WHERE known.brand = $brand AND known.created_at IS NOT NULL AND known.op = $op
WITH b, head(collect(known.version)) AS known
SET b.transformation_count = coalesce(b.transformation_count, 0) + CASE WHEN known IS NULL THEN 1 ELSE 0 END
WITH b, coalesce(known, $prefix + toString(b.transformation_count)) AS version
MERGE (t:TransformationSet {id: $brand + '|' + version})
ON CREATE SET t.brand = $brand, t.version = version, t.steps = $steps, t.note = $note, t.created_by = $by,
  t.created_at = $at, t.op = $op
RETURN t.version AS version
