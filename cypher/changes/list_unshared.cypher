// Those of the identifiers that are not shared yet.
// params: brand, keys
// returns: key
// mode: read
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
WHERE i.brand = $brand AND i.shared_since IS NULL
RETURN i.key AS key
