// One review with the profiles it proposes to merge.
// params: brand, id
// returns: review, profiles
// mode: read
MATCH (v:Review {id: $id})
WHERE v.brand = $brand
CALL (v) {
  MATCH (v)-[:PROPOSES]->(c:Customer)
  RETURN collect({id: c.id, root_id: c.root_id}) AS profiles
}
RETURN properties(v) AS review, profiles
