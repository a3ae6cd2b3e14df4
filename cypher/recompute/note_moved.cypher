// How far a follow-up of moved events has come.
// params: brand, id, moved
// returns: nothing
// mode: write
MATCH (r:Recompute {id: $id})
WHERE r.brand = $brand
SET r.moved = r.moved + $moved
