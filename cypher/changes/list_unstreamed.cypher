// Brands whose feed has entries that are not in the stream yet.
// params: none
// returns: brand, streamed (number of the last entry that is in the stream, or that retention removed)
// mode: read
MATCH (f:ChangeFeed)
WHERE f.brand IS NOT NULL
WITH f, CASE WHEN coalesce(f.streamed_seq, 0) < f.pruned_seq THEN f.pruned_seq ELSE coalesce(f.streamed_seq, 0) END AS streamed
WHERE f.seq > streamed
RETURN f.brand AS brand, streamed ORDER BY f.brand
