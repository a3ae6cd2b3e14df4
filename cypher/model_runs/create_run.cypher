// A run that waits for a worker; while the brand has one of the kind that waits or runs, that one is answered.
// params: brand, id, kind, waiting (brand|kind), by, now, settings
// returns: run (properties)
// mode: write
MERGE (r:ModelRun {waiting: $waiting})
ON CREATE SET r.id = $id, r.brand = $brand, r.kind = $kind, r.state = 'queued', r.stage = 'queued', r.created_at = $now,
  r.created_by = $by, r.attempts = 0, r.done = 0, r.total = 0, r += $settings
RETURN properties(r) AS run
