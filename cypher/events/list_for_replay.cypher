// Stored events of a brand in the order of their ids, with everything that their commit was given.
// params: brand, after (id), limit, type, since, until (by receipt; null for all)
// returns: event, identifiers [[type, value]…], facts (of its order, JSON text or null)
// mode: read
MATCH (e:Event)
WHERE e.id > $after AND e.brand = $brand AND e.type IS NOT NULL
  AND ($type IS NULL OR e.type = $type)
  AND ($since IS NULL OR e.received_at >= $since)
  AND ($until IS NULL OR e.received_at < $until)
WITH e ORDER BY e.id LIMIT $limit
OPTIONAL MATCH (o:Order {key: e.order_key})
RETURN properties(e) AS event, COLLECT { MATCH (e)-[:CARRIES]->(i:Identifier) RETURN [i.type, i.value] } AS identifiers,
  o.facts AS facts
