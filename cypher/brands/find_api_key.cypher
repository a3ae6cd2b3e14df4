// The key that a caller presents: this look-up is what finds the brand, so it cannot be bound to one.
// params: id
// returns: id, brand, kind, scopes, hash, revoked, brand_status; no row when unknown
// mode: read
MATCH (k:ApiKey {id: $id})-[:OF_BRAND]->(b:Brand)
RETURN k.id AS id, k.brand AS brand, k.kind AS kind, k.scopes AS scopes, k.hash AS hash,
  k.revoked_at IS NOT NULL AS revoked, b.status AS brand_status
