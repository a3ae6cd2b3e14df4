// Entries of the feed with the numbers that follow the newest one; the marks that they were made of go.
// params: brand, seq (of the last of these entries), batch: a map of
//   rows [{id, seq, kind, at, profile_id, old_ids, new_ids, facts (JSON text)}…], mark_ids
// returns: nothing
// mode: write
MATCH (f:ChangeFeed {brand: $brand})
SET f.seq = $seq
WITH f
CALL () {
  UNWIND $batch.rows AS r
  CREATE (:Change {
    id: r.id, brand: $brand, seq: r.seq, kind: r.kind, at: r.at, profile_id: r.profile_id, old_ids: r.old_ids,
    new_ids: r.new_ids, facts: r.facts
  })
}
CALL () {
  UNWIND $batch.mark_ids AS id
  MATCH (m:Mark {id: id})
  WHERE m.brand = $brand
  DELETE m
}
