// One webhook of a brand, with how far its feed goes.
// params: brand, id
// returns: hook (properties), newest
// mode: read
MATCH (h:ChangeHook {id: $id})
WHERE h.brand = $brand
// One that is taken away before its properties are read has none.
WITH properties(h) AS hook
WHERE hook.url IS NOT NULL
OPTIONAL MATCH (f:ChangeFeed {brand: $brand})
RETURN hook, coalesce(f.seq, 0) AS newest
