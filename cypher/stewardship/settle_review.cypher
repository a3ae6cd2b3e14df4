// A review is settled: by a person, or by the rules when nothing is left to decide.
// params: brand, id, command_id, status, by, reason, merge_id, survivor_id, note, now
// returns: nothing
// mode: write
MATCH (v:Review {id: $id})
WHERE v.brand = $brand
SET v.status = $status, v.decided_by = $by, v.decision_reason = $reason, v.merge_id = $merge_id,
  v.survivor_id = $survivor_id, v.command_id = $command_id, v.note = $note,
  v.decided_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  v.updated_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
