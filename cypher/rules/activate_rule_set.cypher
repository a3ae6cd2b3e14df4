// The rule set that decides from now on; without one of that version nothing happens.
// params: brand, version, by, reason, at
// returns: version
// mode: write
MATCH (b:Brand {id: $brand})
MATCH (r:RuleSet {id: $brand + '|' + $version})
SET b.rule_version = r.version, r.activated_at = $at, r.activated_by = $by, r.activate_reason = $reason
RETURN r.version AS version
