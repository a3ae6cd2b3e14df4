// How many events of each type about messages a live profile has in a span of time; 5,000 events are looked at.
// params: brand, id (of the live profile), types, since, until
// returns: type, events
// mode: read
MATCH (p:Customer {root_id: $id})
WHERE p.brand = $brand
MATCH (e:Event)
WHERE e.persona_id = p.id AND e.occurred_at >= $since AND e.occurred_at < $until AND e.id IS NOT NULL
WITH e.type AS type LIMIT 5000
WHERE type IN $types
RETURN type, count(*) AS events
