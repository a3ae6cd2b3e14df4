// Live profiles that hold any of these identifiers, best key first.
// params: brand, keys
// returns: key, profile_id
// mode: read
UNWIND range(0, size($keys) - 1) AS position
MATCH (i:Identifier {key: $keys[position]})<-[h:HAS_IDENTIFIER]-(p:Customer)
WHERE h.until IS NULL AND p.brand = $brand
MATCH (root:Customer {id: p.root_id})
WITH DISTINCT position, i.key AS key, root
ORDER BY position, root.strength DESC, root.first_seen, root.id
RETURN key, root.id AS profile_id
