// A person says whose an unattached event is; the decision of its arrival stays.
// params: brand, id, persona_id, command_id, by, reason, now (microseconds)
// returns: nothing
// mode: write
MATCH (e:Event {id: $id})
MATCH (c:Customer {id: $persona_id})
WHERE e.brand = $brand AND c.brand = $brand AND e.persona_id IS NULL
SET e.persona_id = $persona_id, e.attach_id = $command_id, e.attached_by = $by, e.attach_reason = $reason,
  e.attached_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
CREATE (c)-[:PERFORMED]->(e)
