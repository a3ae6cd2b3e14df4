// A run of the suggestions that waits for a worker; while the brand has one that waits or runs, that one is answered.
// params: brand, id, by, now, settings {min_match_weight, auto_merge_weight, max_proposals}
// returns: run (properties)
// mode: write
MERGE (r:SuggestionRun {active: $brand})
ON CREATE SET r.id = $id, r.brand = $brand, r.state = 'queued', r.stage = 'queued', r.created_at = $now,
  r.created_by = $by, r.attempts = 0, r.profiles_total = 0, r.profiles_read = 0, r.pairs = 0, r.proposed = 0, r.merged = 0,
  r.known = 0, r.min_match_weight = $settings.min_match_weight, r.auto_merge_weight = $settings.auto_merge_weight,
  r.max_proposals = $settings.max_proposals
RETURN properties(r) AS run
