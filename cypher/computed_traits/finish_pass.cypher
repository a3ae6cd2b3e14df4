// A pass over all profiles has ended: nothing when the definitions were changed since it began.
// params: brand, version
// returns: version
// mode: write
MATCH (s:TraitSet {id: $brand})
SET s.brand = $brand
WITH s
WHERE s.version = $version
SET s.ready_version = $version, s.forgotten = []
RETURN s.version AS version
