// How far a brand's feed is in the stream.
// params: brand, seq
// returns: nothing
// mode: write
MATCH (f:ChangeFeed {brand: $brand})
WHERE coalesce(f.streamed_seq, 0) < $seq
SET f.streamed_seq = $seq
