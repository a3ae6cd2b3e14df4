// One connection of a brand.
// params: brand, key
// returns: connection
// mode: read
MATCH (c:CrmConnection {key: $key}) WHERE c.brand = $brand
RETURN properties(c) AS connection
