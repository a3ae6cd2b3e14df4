// A run ends, or goes back to wait for another worker; its slot (locked) is free.
// params: brand, id, token (null: whoever held it), state, error, now, facts {model, crowded, by_rule} (JSON texts)
// returns: id
// mode: write
MATCH (s:SuggestionSlot {id: 'slot'})
MATCH (r:SuggestionRun {id: $id})
WHERE r.brand = $brand AND r.active IS NOT NULL AND ($token IS NULL OR r.lease_token = $token)
SET s.until = CASE WHEN s.run_id = r.id THEN null ELSE s.until END,
  r.state = $state, r.stage = $state, r.error = $error, r.lease_until = null, r.lease_token = null, r.sent_at = null,
  r.active = CASE WHEN $state = 'queued' THEN r.active ELSE null END,
  r.finished_at = CASE WHEN $state = 'queued' THEN null ELSE $now END, r += $facts
RETURN r.id AS id
