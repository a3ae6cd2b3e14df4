// Strong evidence between personas that a person took apart counts no more.
// params: brand, roots (live profiles as they are now)
// returns: nothing
// mode: write
UNWIND $roots AS root
MATCH (a:Customer {root_id: root})-[s:SAME_CORE]->(b:Customer)
WHERE a.brand = $brand AND b.root_id <> a.root_id
DELETE s
