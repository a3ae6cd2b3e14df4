// Live profiles that meet others at a weak identifier, or wait for a person, and are held to be without neighbours.
// params: brand, limit
// returns: id, other, found
// mode: read
CALL () {
  MATCH (i:Identifier)
  WHERE i.brand = $brand AND i.tier IN [3, 4]
  MATCH (i)<-[:HAS_IDENTIFIER]-(c:Customer)
  WITH i, collect(DISTINCT c.root_id) AS roots
  WHERE size(roots) > 1
  UNWIND roots AS root
  MATCH (p:Customer {id: root})
  WHERE p.has_neighbours IS NULL
  RETURN p.id AS id, i.key AS other
  UNION
  MATCH (v:Review)
  WHERE v.brand = $brand AND v.status = 'pending'
  MATCH (v)-[:PROPOSES]->(c:Customer)
  MATCH (p:Customer {id: c.root_id})
  WHERE p.has_neighbours IS NULL
  RETURN p.id AS id, v.id AS other
}
RETURN id, other, 'has_neighbours is not set' AS found
LIMIT $limit
