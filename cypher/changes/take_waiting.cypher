// The oldest marks of a brand under the lock of its feed. Only marks older than the lock: one that was written after
// another's commit is then never seen without the other.
// params: brand, kind, until, limit
// returns: seq (of the newest entry), marks [[id, changes (JSON text), rule version, at]…]
// mode: read
MATCH (f:ChangeFeed {brand: $brand})
RETURN f.seq AS seq, COLLECT {
  MATCH (m:Mark)
  WHERE m.kind = $kind AND m.brand = $brand AND m.created_at < $until
  WITH m ORDER BY m.kind, m.brand, m.created_at, m.id LIMIT $limit
  RETURN [m.id, m.changes, m.rule_version, m.created_at]
} AS marks
