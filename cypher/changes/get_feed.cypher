// How far a brand's feed goes: its newest entry, and the last one that retention removed.
// params: brand
// returns: seq, pruned_seq
// mode: read
MATCH (f:ChangeFeed {brand: $brand})
RETURN f.seq AS seq, f.pruned_seq AS pruned_seq
