// How far a sync has come, written by who holds it together with the cursors that say so; nothing when another does.
// Cursors are written only while the connection is the one that the sync goes by.
// params: brand, id, owner, values, cursors (JSON, null leaves them), revision, at, until
// returns: is_cancelled, is_removed, is_changed (the connection since)
// mode: write
MATCH (s:CrmSync {id: $id}) WHERE s.brand = $brand AND s.lease_owner = $owner AND s.state = 'running'
SET s += $values, s.updated_at = $at, s.lease_until = $until
WITH s
OPTIONAL MATCH (c:CrmConnection {key: s.connection_key}) WHERE c.brand = $brand
// The lock: a change waits for this, or this sees it.
SET c.brand = c.brand
WITH s, c, coalesce(c.revision, 0) <> $revision AS is_changed
SET c.cursors = CASE WHEN is_changed THEN c.cursors ELSE coalesce($cursors, c.cursors) END
// One that was taken away while this waited for its lock reads as nulls.
RETURN coalesce(s.cancel_requested, false) AS is_cancelled, c.kind IS NULL AS is_removed, is_changed
