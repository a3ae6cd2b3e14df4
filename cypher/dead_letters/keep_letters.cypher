// Keep messages that could not be taken, each once by its id; one that comes again is counted and waits again.
// params: brand, letters (a list of maps: id, way, code, field, detail, body, event, event_id, received_at)
// returns: kept
// mode: write
UNWIND $letters AS letter
MERGE (d:DeadLetter {id: letter.id})
ON CREATE SET d.brand = $brand, d.way = letter.way, d.received_at = letter.received_at, d.count = 0
SET d.count = d.count + 1, d.last_at = letter.received_at, d.code = letter.code, d.field = letter.field,
  d.detail = letter.detail, d.body = letter.body, d.event = letter.event, d.event_id = letter.event_id,
  d.state = 'waiting', d.settled_at = null, d.settled_by = null
RETURN count(d) AS kept
