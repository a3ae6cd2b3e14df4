// Ask for the end of a sync: at once when nobody works on it, else at its next step.
// params: brand, id, at
// returns: sync
// mode: write
MATCH (s:CrmSync {id: $id}) WHERE s.brand = $brand
SET s.cancel_requested = true
WITH s, s.state IN ['queued', 'running'] AND (s.lease_until IS NULL OR s.lease_until < $at OR s.waits_for IS NOT NULL) AS is_free
SET s.state = CASE WHEN is_free THEN 'cancelled' ELSE s.state END,
  s.active = CASE WHEN is_free THEN null ELSE s.active END,
  s.finished_at = CASE WHEN is_free THEN $at ELSE s.finished_at END,
  s.updated_at = $at
RETURN properties(s) AS sync
