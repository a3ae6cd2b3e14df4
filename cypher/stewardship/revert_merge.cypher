// A merge is taken back; history keeps it with who took it back, when and why.
// params: brand, id, command_id, by, reason, now
// returns: nothing
// mode: write
MATCH (m:Merge {id: $id})
WHERE m.brand = $brand
SET m.reverted_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  m.reverted_by = $by, m.revert_reason = $reason, m.revert_id = $command_id
