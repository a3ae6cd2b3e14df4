// The yardstick of the read bench: a profile node and its identifiers, as anybody would write it by hand.
// params: brand, id
// returns: profile, identifiers
// mode: read
MATCH (c:Customer {id: $id})
WHERE c.brand = $brand
OPTIONAL MATCH (c)-[:HAS_IDENTIFIER]->(i:Identifier)
RETURN properties(c) AS profile, collect(properties(i)) AS identifiers
