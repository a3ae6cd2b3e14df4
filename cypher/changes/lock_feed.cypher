// The counter of a brand's feed, locked until the transaction ends; and the server's time after that.
// params: brand
// returns: until
// mode: write
MERGE (f:ChangeFeed {brand: $brand})
ON CREATE SET f.seq = 0, f.pruned_seq = 0
SET f.brand = f.brand
WITH f
RETURN datetime.realtime() AS until
