// Strong identifiers that several people carried: who did, and since when they are too many for it to link.
// params: brand, rows [{key, people (persona ids or null), shared_since (microseconds or null)}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (i:Identifier {key: r.key})
WHERE i.brand = $brand
SET i.people = coalesce(r.people, i.people)
WITH i, r
WHERE r.shared_since IS NOT NULL
SET i.shared_since = datetime({epochSeconds: r.shared_since / 1000000, nanosecond: (r.shared_since % 1000000) * 1000}),
  i.flags = [flag IN coalesce(i.flags, []) WHERE flag <> 'shared'] + ['shared']
