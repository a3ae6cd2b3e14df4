// Since when identifiers are shared, read after their locks were taken.
// params: brand, keys
// returns: one row, a list of key, since (microseconds or null)
// mode: read
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
WHERE i.brand = $brand
RETURN collect([i.key, i.shared_since.epochSeconds * 1000000 + i.shared_since.microsecond]) AS rows
