// One webhook of a brand, with how far its feed goes.
// params: brand, id
// returns: hook (properties), newest
// mode: read
MATCH (h:ChangeHook {id: $id})
WHERE h.brand = $brand
OPTIONAL MATCH (f:ChangeFeed {brand: $brand})
RETURN properties(h) AS hook, coalesce(f.seq, 0) AS newest
