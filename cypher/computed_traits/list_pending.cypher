// Brands whose profiles have not all been passed over since the definitions were changed; those whose pass failed lately wait.
// params: kind, failed_since
// returns: brand
// mode: read
MATCH (s:TraitSet)
WHERE s.id IS NOT NULL AND s.ready_version < s.version AND NOT EXISTS {
  MATCH (r:ModelRun)
  WHERE r.brand = s.brand AND r.created_at >= $failed_since AND r.id IS NOT NULL AND r.kind = $kind AND r.state = 'failed'
}
RETURN s.brand AS brand
ORDER BY brand
