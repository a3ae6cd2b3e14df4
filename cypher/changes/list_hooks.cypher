// Webhooks of a brand, oldest first, with how far its feed goes.
// params: brand
// returns: hook (properties), newest
// mode: read
MATCH (h:ChangeHook)
WHERE h.brand = $brand AND h.created_at IS NOT NULL
OPTIONAL MATCH (f:ChangeFeed {brand: $brand})
RETURN properties(h) AS hook, coalesce(f.seq, 0) AS newest ORDER BY h.created_at, h.id
