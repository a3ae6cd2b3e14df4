// Events of the clusters of live profiles that computed traits look at, in no order; payloads only where one reads them.
// params: brand, ids, from_at, types (null: all), payload_types (null: all)
// returns: root, at (microseconds), id, type, channel, source, products, payload
// mode: read
UNWIND $ids AS root
MATCH (p:Customer {root_id: root})
WHERE p.brand = $brand
MATCH (e:Event)
WHERE e.persona_id = p.id AND e.occurred_at >= $from_at AND e.id IS NOT NULL AND ($types IS NULL OR e.type IN $types)
RETURN root, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond AS at, e.id AS id, e.type AS type,
  e.channel AS channel, e.source AS source, e.products AS products,
  CASE WHEN $payload_types IS NULL OR e.type IN $payload_types THEN e.payload END AS payload
