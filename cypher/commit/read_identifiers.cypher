// Who holds these identifiers, before any lock; missing ones have no row.
// params: brand, keys
// returns: one row, a list of key, flags, holders [[persona id, root id]…]
// mode: read
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
WHERE i.brand = $brand
WITH i, [(i)<-[h:HAS_IDENTIFIER]-(c:Customer) WHERE h.until IS NULL | [c.id, c.root_id]] AS holders
RETURN collect([i.key, i.flags, holders]) AS rows
