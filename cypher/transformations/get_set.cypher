// One set of transformations.
// params: brand, version
// returns: version, steps (JSON)
// mode: read
MATCH (t:TransformationSet {id: $brand + '|' + $version})
RETURN t.version AS version, t.steps AS steps
