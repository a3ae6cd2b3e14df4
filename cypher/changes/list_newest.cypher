// The newest entry of each of these brands' feeds.
// params: brands
// returns: brand, seq
// mode: read
UNWIND $brands AS one
MATCH (f:ChangeFeed {brand: one})
RETURN f.brand AS brand, f.seq AS seq
