// A person gives an identifier to a persona.
// params: brand, persona_id, key, trust, command_id, by, reason, now (microseconds)
// returns: nothing
// mode: write
MATCH (c:Customer {id: $persona_id})
MATCH (i:Identifier {key: $key})
WHERE c.brand = $brand AND i.brand = $brand
CREATE (c)-[:HAS_IDENTIFIER {
  since: datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  trust: $trust, source: 'by_hand', event_id: $command_id, linked_by: $by, reason: $reason
}]->(i)
