// What became of a message: it was replayed or discarded; its text goes.
// params: brand, id, state, by, at, event_id (null when there is none)
// returns: settled
// mode: write
MATCH (d:DeadLetter {id: $id})
WHERE d.brand = $brand
SET d.state = $state, d.settled_at = $at, d.settled_by = $by, d.event_id = coalesce($event_id, d.event_id),
  d.body = null, d.event = null
RETURN count(d) AS settled
