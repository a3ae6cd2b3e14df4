// One connection of a brand.
// params: brand, key
// returns: connection
// mode: read
MATCH (c:CrmConnection {key: $key}) WHERE c.brand = $brand
WITH properties(c) AS connection
// One that is taken away before its properties are read has none.
WHERE connection.kind IS NOT NULL
RETURN connection
