// The set that counts from now on; without one of that version nothing happens.
// params: brand, version, by, reason, at
// returns: version
// mode: write
MATCH (b:Brand {id: $brand})
MATCH (t:TransformationSet {id: $brand + '|' + $version})
SET b.transformation_version = t.version, t.activated_at = $at, t.activated_by = $by, t.activate_reason = $reason
RETURN t.version AS version
