// A replay of a message failed once more.
// params: brand, id, code, field, detail, at
// returns: noted
// mode: write
MATCH (d:DeadLetter {id: $id})
WHERE d.brand = $brand
SET d.replays = coalesce(d.replays, 0) + 1, d.code = $code, d.field = $field, d.detail = $detail, d.last_at = $at
RETURN count(d) AS noted
