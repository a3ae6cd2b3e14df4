// Live profiles whose personas hold or held an identifier.
// params: brand, key
// returns: root_id
// mode: read
MATCH (i:Identifier {key: $key})<-[:HAS_IDENTIFIER]-(c:Customer)
WHERE i.brand = $brand
RETURN DISTINCT c.root_id AS root_id
