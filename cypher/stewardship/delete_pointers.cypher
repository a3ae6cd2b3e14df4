// Pointers that no longer stand.
// params: brand, ids (absorbed personas)
// returns: nothing
// mode: write
UNWIND $ids AS id
MATCH (c:Customer {id: id})-[p:MERGED_INTO]->()
WHERE c.brand = $brand
DELETE p
