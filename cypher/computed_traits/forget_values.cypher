// Take values of deleted definitions away from these profiles.
// params: brand, ids, nothing (property → null)
// returns: forgotten
// mode: write
UNWIND $ids AS id
MATCH (n:ComputedTraits {id: id})
WHERE n.brand = $brand
SET n += $nothing
RETURN count(*) AS forgotten
