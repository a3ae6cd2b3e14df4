// Give a brand one more key.
// params: brand, id, kind, scopes, hash, at
// returns: id; no row when there is no such brand
// mode: write
MATCH (b:Brand {id: $brand})
MERGE (k:ApiKey {id: $id})
ON CREATE SET k.brand = $brand, k.kind = $kind, k.scopes = $scopes, k.hash = $hash, k.created_at = $at
MERGE (k)-[:OF_BRAND]->(b)
RETURN k.id AS id
