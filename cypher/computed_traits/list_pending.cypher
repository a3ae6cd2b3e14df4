// Brands whose profiles have not all been passed over since the definitions were changed. Those whose pass failed lately
// wait; one that a person stopped since the change stays stopped.
// params: kind, failed_since
// returns: brand
// mode: read
MATCH (s:TraitSet)
WHERE s.id IS NOT NULL AND s.ready_version < s.version AND NOT EXISTS {
  MATCH (r:ModelRun)
  WHERE r.brand = s.brand AND r.created_at IS NOT NULL AND r.id IS NOT NULL AND r.kind = $kind
    AND (r.state = 'failed' AND r.finished_at >= $failed_since OR r.state = 'cancelled' AND r.finished_at >= s.changed_at)
}
RETURN s.brand AS brand
ORDER BY brand
