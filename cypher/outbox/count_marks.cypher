// How many marks wait, by kind, and since when the oldest of each does.
// params: kinds
// returns: kind, marks, oldest
// mode: read
UNWIND $kinds AS kind
MATCH (m:Mark)
WHERE m.kind = kind AND m.created_at IS NOT NULL
RETURN kind, count(m) AS marks, min(m.created_at) AS oldest
