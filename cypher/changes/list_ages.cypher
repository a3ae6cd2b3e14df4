// The oldest entries of a brand's feed with their age, for retention.
// params: brand, limit
// returns: pruned_seq, ages [[seq, at]…] in order
// mode: read
MATCH (f:ChangeFeed {brand: $brand})
RETURN f.pruned_seq AS pruned_seq, COLLECT {
  MATCH (c:Change)
  WHERE c.brand = $brand AND c.seq > f.pruned_seq AND c.seq <= f.pruned_seq + $limit
  WITH c ORDER BY c.seq
  RETURN [c.seq, c.at]
} AS ages
