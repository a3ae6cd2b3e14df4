// Pointers as replayed.
// params: brand, rows [[absorbed, survivor, merge_id, is weak or null]…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (a:Customer {id: r[0]}), (s:Customer {id: r[1]})
WHERE a.brand = $brand AND s.brand = $brand
MATCH (m:Merge {id: r[2]})
CREATE (a)-[:MERGED_INTO {link: r[2] + '|' + r[0], merge_id: r[2], at: m.at, weak: r[3]}]->(s)
