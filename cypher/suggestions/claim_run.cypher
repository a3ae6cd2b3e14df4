// Give a run to one worker, with the slot (locked), unless either is held by somebody alive.
// params: brand, id, token, now, until
// returns: run (properties)
// mode: write
MATCH (s:SuggestionSlot {id: 'slot'})
MATCH (r:SuggestionRun {id: $id})
WHERE r.brand = $brand AND r.active IS NOT NULL AND (r.lease_until IS NULL OR r.lease_until < $now)
  AND (s.until IS NULL OR s.until < $now OR s.run_id = r.id)
SET s.run_id = r.id, s.until = $until, r.state = 'running', r.stage = 'starting', r.lease_token = $token,
  r.lease_until = $until, r.attempts = r.attempts + 1, r.started_at = coalesce(r.started_at, $now)
RETURN properties(r) AS run
