// Stores of a brand in order of their keys.
// params: brand, after (the last key of the page before, or empty), limit
// returns: store
// mode: read
MATCH (s:Store)
WHERE s.brand = $brand AND s.key > $after
RETURN s {.*} AS store
ORDER BY s.brand, s.key
LIMIT $limit
