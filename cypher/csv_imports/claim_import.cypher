// Take an import for a while: nobody else works on it until the lease is over.
// params: brand, id, owner, at, until
// returns: import
// mode: write
MATCH (i:CsvImport {id: $id}) WHERE i.brand = $brand
SET i.updated_at = $at
WITH i
WHERE i.state IN ['queued', 'running'] AND (i.lease_until IS NULL OR i.lease_until < $at OR i.lease_owner = $owner)
SET i.state = 'running', i.lease_owner = $owner, i.lease_until = $until, i.attempts = coalesce(i.attempts, 0) + 1,
  i.started_at = coalesce(i.started_at, $at), i.checkpoint_at = coalesce(i.checkpoint_at, $at)
RETURN properties(i) AS import
