// Feeds whose entries are not exactly those from the first one kept to the newest: a number is missing or given twice.
// params: brand, limit
// returns: id, kept, expected
// mode: read
MATCH (f:ChangeFeed {brand: $brand})
CALL (f) {
  MATCH (c:Change)
  WHERE c.brand = $brand AND c.seq > 0
  RETURN count(c) AS kept, count(DISTINCT c.seq) AS numbers, min(c.seq) AS first, max(c.seq) AS last
}
WITH f, kept, numbers, first, last, f.seq - f.pruned_seq AS expected
WHERE kept <> expected OR numbers <> kept OR (kept > 0 AND (first <> f.pruned_seq + 1 OR last <> f.seq))
RETURN f.brand AS id, kept, expected
LIMIT $limit
