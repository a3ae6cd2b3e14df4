// Lock a webhook until the transaction ends.
// params: brand, id
// returns: id
// mode: write
MATCH (h:ChangeHook {id: $id})
WHERE h.brand = $brand
SET h.id = h.id
RETURN h.id AS id
