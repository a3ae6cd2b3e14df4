// The rule sets of a brand, newest first, and which one is active.
// params: brand
// returns: version, rules (JSON), note, created_at, created_by, activated_at, is_active
// mode: read
MATCH (b:Brand {id: $brand})
MATCH (r:RuleSet {brand: $brand})
RETURN r.version AS version, r.rules AS rules, r.note AS note, r.created_at AS created_at, r.created_by AS created_by,
  r.activated_at AS activated_at, coalesce(b.rule_version = r.version, false) AS is_active
ORDER BY r.created_at DESC, r.version DESC
LIMIT 500
