// Webhooks of a brand, oldest first, with how far its feed goes.
// params: brand
// returns: hook (properties), newest
// mode: read
MATCH (h:ChangeHook)
WHERE h.brand = $brand AND h.created_at IS NOT NULL
// One that is taken away before its properties are read has none.
WITH properties(h) AS hook
WHERE hook.url IS NOT NULL
OPTIONAL MATCH (f:ChangeFeed {brand: $brand})
RETURN hook, coalesce(f.seq, 0) AS newest ORDER BY hook.created_at, hook.id
