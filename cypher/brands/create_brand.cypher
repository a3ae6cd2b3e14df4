// Create a brand with its first keys and its webhook endpoints, all or nothing; a brand that exists stays as it is.
// params: brand, name, region, currency, merge_threshold, op, at, keys [{id, kind, scopes, hash}], endpoints [{id, source, secret}]
// returns: created (true also when the same operation runs again)
// mode: write
MERGE (b:Brand {id: $brand})
ON CREATE SET b.brand = $brand, b.name = $name, b.region = $region, b.currency = $currency, b.status = 'active',
  b.merge_threshold = $merge_threshold, b.blocked_values = [], b.created_at = $at, b.op = $op
WITH b, b.op = $op AS created
FOREACH (key IN CASE WHEN created THEN $keys ELSE [] END |
  MERGE (k:ApiKey {id: key.id})
  ON CREATE SET k.brand = $brand, k.kind = key.kind, k.scopes = key.scopes, k.hash = key.hash, k.created_at = $at
  MERGE (k)-[:OF_BRAND]->(b))
FOREACH (endpoint IN CASE WHEN created THEN $endpoints ELSE [] END |
  MERGE (e:Endpoint {id: endpoint.id})
  ON CREATE SET e.brand = $brand, e.source = endpoint.source, e.secret = endpoint.secret, e.created_at = $at
  MERGE (e)-[:OF_BRAND]->(b))
RETURN created
