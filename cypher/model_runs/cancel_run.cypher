// A person stops a run: one that waits ends at once, one that runs at its worker's next sign of life.
// params: brand, id, by, now
// returns: run (properties)
// mode: write
MATCH (r:ModelRun {id: $id})
WHERE r.brand = $brand AND r.waiting IS NOT NULL
SET r.cancelled_by = $by
SET r.state = CASE WHEN r.lease_until IS NULL THEN 'cancelled' ELSE r.state END
SET r.stage = r.state, r.waiting = CASE WHEN r.state = 'cancelled' THEN null ELSE r.waiting END,
  r.finished_at = CASE WHEN r.state = 'cancelled' THEN $now ELSE null END
RETURN properties(r) AS run
