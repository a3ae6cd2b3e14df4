// Strong identifiers that personas of these live profiles carried while somebody else held them, or hold while others did.
// params: brand, roots
// returns: type, value
// mode: read
UNWIND $roots AS root
MATCH (c:Customer {root_id: root})-[:CARRIED]->(i:Identifier)
WHERE c.brand = $brand
RETURN DISTINCT i.type, i.value
ORDER BY i.type, i.value
