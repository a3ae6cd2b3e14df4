// One store.
// params: brand, key
// returns: store
// mode: read
MATCH (s:Store {key: $key})
WHERE s.brand = $brand
RETURN s {.*} AS store
