// Live profiles that hold any of these identifiers, best key first. A link that was drawn anew while it was read is gone: it
// may have ended before, and the profile may be another.
// params: brand, keys
// returns: key, profile_id, is_gone
// mode: read
UNWIND range(0, size($keys) - 1) AS position
MATCH (i:Identifier {key: $keys[position]})<-[h:HAS_IDENTIFIER]-(p:Customer)
WHERE h.until IS NULL AND p.brand = $brand
WITH position, i, p.root_id AS root_id, size(keys(h)) = 0 AS is_gone
MATCH (root:Customer {id: root_id})
WITH position, i.key AS key, root, collect(is_gone) AS gone
ORDER BY position, root.strength DESC, root.first_seen, root.id
RETURN key, root.id AS profile_id, true IN gone AS is_gone
