// Remove the entries up to a number and remember that they are gone.
// params: brand, after, until (numbers)
// returns: nothing
// mode: write
MATCH (f:ChangeFeed {brand: $brand})
SET f.pruned_seq = CASE WHEN f.pruned_seq > $until THEN f.pruned_seq ELSE $until END
WITH f
MATCH (c:Change)
WHERE c.brand = $brand AND c.seq > $after AND c.seq <= $until
DELETE c
