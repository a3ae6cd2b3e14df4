// Take marks away that this transaction works off; those that another one has taken are missing.
// params: brand, ids (sorted)
// returns: ids that were still there
// mode: write
UNWIND $ids AS id
MATCH (m:Mark {id: id})
WHERE m.brand = $brand
WITH m, m.id AS id
DELETE m
RETURN id
