// Weak identifiers lead from these live profiles to more people than are followed.
// params: brand, ids
// returns: nothing
// mode: write
UNWIND $ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand
SET c.has_neighbours = true
