// Marks whose events are in the streams: what is left of them is their other work.
// params: ids, kind, streamed
// returns: moved
// mode: write
UNWIND $ids AS id
MATCH (m:Mark {id: id})
WHERE m.kind = $kind
SET m.kind = $streamed, m.taken_at = null
RETURN count(m) AS moved
