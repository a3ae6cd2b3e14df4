// Take away marks whose work is stored; harmless when repeated.
// params: brand, ids
// returns: deleted
// mode: write
UNWIND $ids AS id
MATCH (m:Mark {id: id})
WHERE m.brand = $brand
DETACH DELETE m
RETURN count(*) AS deleted
