// The worker's sign of life, with how far it has come; nothing when the run is no longer its own or is to stop.
// params: brand, id, token, until, progress {stage, profiles_total, profiles_read, pairs, known}
// returns: id
// mode: write
MATCH (r:SuggestionRun {id: $id})
WHERE r.brand = $brand AND r.lease_token = $token AND r.active IS NOT NULL AND r.cancelled_by IS NULL
MATCH (s:SuggestionSlot {id: 'slot'})
WHERE s.run_id = r.id
SET s.until = $until, r.lease_until = $until, r += $progress
RETURN r.id AS id
