// One step outwards: the live profiles that hold or held these weak identifiers, and the weak identifiers of these profiles.
// params: brand, find: a map of keys and roots
// returns: roots, keys
// mode: read
CALL () {
  UNWIND $find.keys AS key
  MATCH (i:Identifier {key: key})<-[:HAS_IDENTIFIER]-(c:Customer)
  WHERE i.brand = $brand
  RETURN collect(DISTINCT c.root_id) AS roots
}
CALL () {
  UNWIND $find.roots AS root
  MATCH (c:Customer {root_id: root})-[:HAS_IDENTIFIER]->(i:Identifier)
  WHERE c.brand = $brand AND i.tier IN [3, 4]
  RETURN collect(DISTINCT i.key) AS keys
}
RETURN roots, keys
