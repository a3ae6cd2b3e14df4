// A new sync of a connection, unless one waits or runs: then that one. A full one begins without cursors.
// params: brand, key, id, is_full, created_by, at
// returns: sync
// mode: write
MATCH (c:CrmConnection {key: $key}) WHERE c.brand = $brand
// The connection is the lock: of two wishes at once the second finds the first.
SET c.brand = c.brand
// One that was taken away while this waited for its lock reads as nulls.
WITH c WHERE c.kind IS NOT NULL
OPTIONAL MATCH (known:CrmSync {active: $key})
SET c.next_at = CASE WHEN c.interval_minutes IS NULL THEN null ELSE $at + duration({minutes: c.interval_minutes}) END
FOREACH (_ IN CASE WHEN known IS NULL THEN [1] ELSE [] END |
  MERGE (s:CrmSync {id: $id})
  ON CREATE SET s.brand = c.brand, s.active = $key, s.connection_key = $key, s.connection = c.name, s.kind = c.kind,
    s.is_full = $is_full, s.created_by = $created_by, s.state = 'queued', s.created_at = $at, s.updated_at = $at,
    c.cursors = CASE WHEN $is_full THEN '{}' ELSE c.cursors END
)
WITH known
OPTIONAL MATCH (made:CrmSync {id: $id})
RETURN properties(coalesce(known, made)) AS sync
