// Take a sync for a while: nobody else works on it until the lease is over.
// params: brand, id, owner, at, until
// returns: sync, connection (null when it was taken away)
// mode: write
MATCH (s:CrmSync {id: $id}) WHERE s.brand = $brand
SET s.updated_at = $at
WITH s
WHERE s.state IN ['queued', 'running'] AND (s.lease_until IS NULL OR s.lease_until < $at)
SET s.state = 'running', s.lease_owner = $owner, s.lease_until = $until, s.started_at = coalesce(s.started_at, $at),
  s.checkpoint_at = coalesce(s.checkpoint_at, $at), s.waits_for = null
WITH s
OPTIONAL MATCH (c:CrmConnection {key: s.connection_key}) WHERE c.brand = $brand
WITH properties(s) AS sync, properties(c) AS connection
// One that is taken away before its properties are read has none.
RETURN sync, CASE WHEN connection.kind IS NOT NULL THEN connection END AS connection
