// What a CRM was told of its records.
// params: brand, rows [[key, pushed (JSON)]…], at
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (i:Identifier {key: r[0]})
WHERE i.brand = $brand
SET i.pushed = r[1], i.pushed_at = $at
