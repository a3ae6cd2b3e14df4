// Reviews that wait although they were decided or joined into another, and settled ones that say neither.
// params: brand, limit
// returns: id, found
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.status IS NOT NULL AND v.created_at IS NOT NULL
  AND (v.status = 'pending') <> (v.decided_at IS NULL AND v.superseded_by IS NULL)
RETURN v.id AS id, v.status AS found
LIMIT $limit
