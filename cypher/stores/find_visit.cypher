// The event of a visit: when it saw somebody, whose live profile that is, and what identifiers it carries.
// params: brand, id
// returns: root_id, persona_id, at, channel, identifiers [[type, value]…]
// mode: read
MATCH (e:Event {id: $id})
WHERE e.brand = $brand AND e.visit_at IS NOT NULL
MATCH (p:Customer {id: e.persona_id})
RETURN p.root_id AS root_id, p.id AS persona_id, e.visit_at AS at, e.channel AS channel,
  COLLECT { MATCH (e)-[:CARRIES]->(i:Identifier) RETURN [i.type, i.value] } AS identifiers
