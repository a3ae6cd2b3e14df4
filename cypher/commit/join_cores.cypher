// Personas of one live profile that strong evidence joins: were its weak pointers taken back, these would stay together.
// params: brand, rows [[persona id, persona id, event id]…], each pair in ascending order
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (a:Customer {id: r[0]}), (b:Customer {id: r[1]})
WHERE a.brand = $brand AND b.brand = $brand
MERGE (a)-[s:SAME_CORE]->(b)
ON CREATE SET s.event_id = r[2]
