// Pairs of personas that a person told apart; a mark that ended earlier begins again.
// params: brand, pairs [[smaller id, larger id]…] sorted, by, reason, now
// returns: nothing
// mode: write
UNWIND $pairs AS pair
MATCH (a:Customer {id: pair[0]}), (b:Customer {id: pair[1]})
WHERE a.brand = $brand AND b.brand = $brand
MERGE (a)-[n:NOT_SAME {pair: pair[0] + '|' + pair[1]}]->(b)
SET n.by = $by, n.reason = $reason,
  n.at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  n.ended_at = null, n.ended_by = null
