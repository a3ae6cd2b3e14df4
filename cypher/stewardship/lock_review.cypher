// Lock a review; the status is read after the lock.
// params: brand, id
// returns: status, ids of the proposed personas
// mode: write
MATCH (v:Review {id: $id})
WHERE v.brand = $brand
SET v.brand = v.brand
WITH v
RETURN v.status, [(v)-[:PROPOSES]->(c:Customer) | c.id]
