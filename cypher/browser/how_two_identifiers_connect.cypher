// How two identifiers of one customer connect: the shortest way over events, holders and merges
// params: brand, type_a, value_a, type_b, value_b
// returns: a path to draw; for the reasoning ask GET /api/customer360/{id}/why
// mode: read
MATCH (a:Identifier {key: $brand + '|' + $type_a + '|' + $value_a})
MATCH (b:Identifier {key: $brand + '|' + $type_b + '|' + $value_b})
MATCH way = shortestPath((a)-[:CARRIES|HAS_IDENTIFIER|MERGED_INTO*..12]-(b))
RETURN way
