// Back to the built-in rules.
// params: brand
// returns: id
// mode: write
MATCH (b:Brand {id: $brand})
SET b.rule_version = null
RETURN b.id AS id
