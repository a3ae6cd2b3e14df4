// Bench, raw limit: who holds which identifier, between nodes that exist.
// params: rows [{persona_id, key, since, trust, source, event_id}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (c:Customer {id: r.persona_id})
MATCH (i:Identifier {key: r.key})
CREATE (c)-[:HAS_IDENTIFIER {since: r.since, trust: r.trust, source: r.source, event_id: r.event_id}]->(i)
