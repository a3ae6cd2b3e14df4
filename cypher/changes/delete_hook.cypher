// Take a webhook away.
// params: brand, id
// returns: deleted
// mode: write
MATCH (h:ChangeHook {id: $id})
WHERE h.brand = $brand
DETACH DELETE h
RETURN count(*) AS deleted
