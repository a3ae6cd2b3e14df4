// Webhooks that have something to get and nobody is serving.
// params: now, limit
// returns: brand, id
// mode: read
MATCH (h:ChangeHook)
WHERE h.is_active = true AND h.next_at <= $now
WITH h WHERE h.lease_until IS NULL OR h.lease_until < $now
MATCH (f:ChangeFeed {brand: h.brand})
WHERE f.seq > h.cursor
RETURN h.brand AS brand, h.id AS id ORDER BY h.next_at, h.id LIMIT $limit
