// Take a key back; it stays as a record of who once had access.
// params: brand, id, at
// returns: id; no row when the brand has no such key
// mode: write
MATCH (k:ApiKey {id: $id, brand: $brand})
SET k.revoked_at = coalesce(k.revoked_at, $at)
RETURN k.id AS id
