// A new version of a brand's rules; the brand node is the lock that numbers them.
// params: brand, prefix, rules (JSON), note, by, at, op (makes a second try the same)
// returns: version
// mode: write
MATCH (b:Brand {id: $brand})
SET b.rule_count = coalesce(b.rule_count, 0)
WITH b
OPTIONAL MATCH (known:RuleSet {brand: $brand, op: $op})
WITH b, known, CASE WHEN known IS NULL THEN b.rule_count + 1 ELSE b.rule_count END AS number
SET b.rule_count = number
WITH b, coalesce(known.version, $prefix + toString(number)) AS version
MERGE (r:RuleSet {id: $brand + '|' + version})
ON CREATE SET r.brand = $brand, r.version = version, r.rules = $rules, r.note = $note, r.created_by = $by,
  r.created_at = $at, r.op = $op
RETURN r.version AS version
