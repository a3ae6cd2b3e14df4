// A person stops a run: one that waits ends at once, one that runs at its worker's next sign of life.
// params: brand, id, by, now
// returns: run (properties)
// mode: write
MATCH (r:SuggestionRun {id: $id})
WHERE r.brand = $brand AND r.active IS NOT NULL
SET r.cancelled_by = $by
SET r.state = CASE WHEN r.lease_until IS NULL THEN 'cancelled' ELSE r.state END
SET r.stage = r.state, r.active = CASE WHEN r.state = 'cancelled' THEN null ELSE r.active END,
  r.finished_at = CASE WHEN r.state = 'cancelled' THEN $now ELSE null END
RETURN properties(r) AS run
