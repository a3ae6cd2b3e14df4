// What the given marks ask for; marks that are done already are missing.
// params: ids
// returns: id, brand, profile_ids
// mode: read
UNWIND $ids AS id
MATCH (m:Mark {id: id})
WITH id, m.brand AS brand, m.profile_ids AS profile_ids
// One that is done before its properties are read has none.
WHERE brand IS NOT NULL
RETURN id, brand, profile_ids
