// What a worker did for a webhook that it still has the claim on.
// params: brand, id, token, set: properties (null takes one away)
// returns: id
// mode: write
MATCH (h:ChangeHook {id: $id})
WHERE h.brand = $brand AND h.lease_token = $token
SET h += $set
RETURN h.id AS id
