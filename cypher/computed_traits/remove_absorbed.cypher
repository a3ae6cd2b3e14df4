// Take the computed traits of personas away that were absorbed into one of these live profiles.
// params: brand, ids
// returns: removed
// mode: write
UNWIND $ids AS id
MATCH (p:Customer {root_id: id})-[:HAS_COMPUTED_TRAITS]->(n:ComputedTraits)
WHERE p.brand = $brand AND p.id <> id
DETACH DELETE n
RETURN count(*) AS removed
