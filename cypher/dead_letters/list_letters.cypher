// The messages of a brand that could not be taken, newest first.
// params: brand, limit
// returns: letter
// mode: read
MATCH (d:DeadLetter {brand: $brand})
RETURN d {.*} AS letter
ORDER BY d.received_at DESC, d.id
LIMIT $limit
