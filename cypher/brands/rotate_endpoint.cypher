// Change the secret of a source over, and its address when `new_id` is given; the old ones hold until `until`.
// params: brand, source, secret, new_id (or null), until, at
// returns: rotated (0 when there is no such source, or when the same change runs again)
// mode: write
MATCH (b:Brand {id: $brand})<-[:OF_BRAND]-(e:Endpoint {source: $source})
WHERE e.until IS NULL AND e.secret <> $secret AND e.id <> coalesce($new_id, '')
SET e.old_secret = e.secret, e.old_until = $until, e.secret = $secret, e.rotated_at = $at
FOREACH (_ IN CASE WHEN $new_id IS NULL THEN [] ELSE [1] END |
  MERGE (n:Endpoint {id: $new_id})
  ON CREATE SET n.brand = $brand, n.source = $source, n.secret = $secret, n.old_secret = e.old_secret, n.old_until = $until,
    n.account = e.account, n.mapping = e.mapping, n.created_at = $at, n.rotated_at = $at
  MERGE (n)-[:OF_BRAND]->(b)
  SET e.until = $until)
RETURN count(e) AS rotated
