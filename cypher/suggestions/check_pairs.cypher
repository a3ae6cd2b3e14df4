// What speaks against proposing pairs of profiles; a pair with an unknown profile gives no row.
// params: brand, pairs [[id, other id, review id]…]
// returns: id, other_id, is_live, is_known (proposed before), is_apart (told apart), is_open (in a review that waits)
// mode: read
UNWIND $pairs AS pair
MATCH (a:Customer {id: pair[0]})
WHERE a.brand = $brand
MATCH (b:Customer {id: pair[1]})
WHERE b.brand = $brand
RETURN a.id AS id, b.id AS other_id, a.root_id = a.id AND b.root_id = b.id AS is_live,
  EXISTS { MATCH (v:Review {id: pair[2]}) } AS is_known,
  EXISTS {
    MATCH (p:Customer {root_id: pair[0]})-[n:NOT_SAME]-(q:Customer)
    WHERE n.ended_at IS NULL AND q.root_id = pair[1]
  } AS is_apart,
  EXISTS {
    MATCH (p:Customer {root_id: pair[0]})<-[:PROPOSES]-(v:Review)
    WHERE v.status = 'pending' AND EXISTS { MATCH (v)-[:PROPOSES]->(q:Customer) WHERE q.root_id = pair[1] }
  } AS is_open
