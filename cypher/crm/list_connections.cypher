// All connections of a brand, in order of their names.
// params: brand
// returns: connection
// mode: read
MATCH (c:CrmConnection) WHERE c.brand = $brand AND c.name IS NOT NULL
WITH properties(c) AS connection
// One that is taken away before its properties are read has none.
WHERE connection.kind IS NOT NULL
RETURN connection
ORDER BY connection.name
