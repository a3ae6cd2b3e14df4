// All connections of a brand, in order of their names.
// params: brand
// returns: connection
// mode: read
MATCH (c:CrmConnection) WHERE c.brand = $brand AND c.name IS NOT NULL
RETURN properties(c) AS connection
ORDER BY c.name
