// How many messages of a brand wait to be looked at.
// params: brand
// returns: waiting
// mode: read
MATCH (d:DeadLetter {brand: $brand})
WHERE coalesce(d.state, 'waiting') = 'waiting'
RETURN count(d) AS waiting
