// Active brands whose latest run of a kind began before a moment, or that had none.
// params: kind, before
// returns: brand
// mode: read
MATCH (b:Brand)
WHERE b.id IS NOT NULL AND coalesce(b.status, 'active') = 'active' AND NOT EXISTS {
  MATCH (r:ModelRun)
  WHERE r.brand = b.id AND r.created_at >= $before AND r.kind = $kind AND r.id IS NOT NULL
}
RETURN b.id AS brand
ORDER BY brand
