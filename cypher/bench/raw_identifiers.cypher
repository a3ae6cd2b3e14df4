// Bench, raw limit: identifiers that no earlier batch brought.
// params: brand, at, rows [{key, type, value, tier}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
CREATE (:Identifier {key: r.key, brand: $brand, type: r.type, value: r.value, tier: r.tier, first_seen: $at, last_seen: $at})
