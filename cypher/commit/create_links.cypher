// Personas take new identifiers.
// params: brand, rows [[persona_id, identifier key, since, trust, source, event_id]…] sorted by key
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (i:Identifier {key: r[1]})
MATCH (c:Customer {id: r[0]})
WHERE c.brand = $brand
CREATE (c)-[:HAS_IDENTIFIER {
  since: datetime({epochSeconds: r[2] / 1000000, nanosecond: (r[2] % 1000000) * 1000}),
  trust: r[3], source: r[4], event_id: r[5]
}]->(i)
