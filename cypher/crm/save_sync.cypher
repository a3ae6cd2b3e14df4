// How far a sync has come, written by who holds it together with the cursors that say so; nothing when another does.
// params: brand, id, owner, values, cursors (JSON, null leaves them), at, until
// returns: is_cancelled
// mode: write
MATCH (s:CrmSync {id: $id}) WHERE s.brand = $brand AND s.lease_owner = $owner AND s.state = 'running'
SET s += $values, s.updated_at = $at, s.lease_until = $until
WITH s
OPTIONAL MATCH (c:CrmConnection {key: s.connection_key}) WHERE c.brand = $brand
SET c.cursors = coalesce($cursors, c.cursors)
RETURN coalesce(s.cancel_requested, false) AS is_cancelled
