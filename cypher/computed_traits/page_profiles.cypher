// One page of live profiles, oldest first, after the cursor (after_at, after_id), with the set that their values are of.
// params: brand, after_at, after_id, limit
// returns: id, created_at, set_version
// mode: read
MATCH (root:Customer)
WHERE root.brand = $brand AND root.created_at >= $after_at AND root.id IS NOT NULL
  AND CASE WHEN root.created_at = $after_at THEN root.id > $after_id ELSE true END
  AND root.root_id = root.id
WITH root ORDER BY root.brand, root.created_at, root.id LIMIT $limit
OPTIONAL MATCH (n:ComputedTraits {id: root.id})
RETURN root.id AS id, root.created_at AS created_at, coalesce(n.set_version, 0) AS set_version
ORDER BY created_at, id
