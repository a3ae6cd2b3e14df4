// One step outwards: the live profiles that hold or held these weak identifiers, the weak identifiers of these profiles,
// and those that wait for a person together with them on strong evidence.
// params: brand, find: a map of keys, roots and asking (rules of such reviews)
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
CALL () {
  UNWIND $find.roots AS root
  MATCH (c:Customer {root_id: root})<-[:PROPOSES]-(v:Review)
  WHERE v.brand = $brand AND v.status = 'pending' AND any(rule IN v.rules WHERE rule IN $find.asking)
  MATCH (v)-[:PROPOSES]->(q:Customer)
  RETURN collect(DISTINCT q.root_id) AS waiting
}
RETURN roots + waiting AS roots, keys
