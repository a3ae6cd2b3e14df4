// Events that will change hands in a follow-up task; the personas on both sides say so until it is done.
// params: brand, id, keys (weak identifiers that lead to them), persona_ids, events (how many), now (microseconds)
// returns: nothing
// mode: write
MERGE (r:Recompute {id: $id})
ON CREATE SET r.brand = $brand, r.keys = $keys, r.persona_ids = $persona_ids, r.events = $events, r.moved = 0,
  r.created_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
WITH r
UNWIND $persona_ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand AND NOT r.id IN coalesce(c.recomputing, [])
SET c.recomputing = coalesce(c.recomputing, []) + [r.id]
