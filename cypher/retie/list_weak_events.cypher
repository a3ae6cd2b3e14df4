// Events that carry one of these weak identifiers and nothing else that links: they belong to its owner at their time.
// params: brand, keys
// returns: one row, a list of event id, at (microseconds), persona id (null: nobody's), identifier type, value, order key
// mode: read
UNWIND $keys AS key
MATCH (i:Identifier {key: key})<-[:CARRIES]-(e:Event)
WHERE i.brand = $brand AND e.is_sighting IS NULL AND e.attach_id IS NULL AND (e.persona_id IS NOT NULL OR e.decision = 'unattached')
RETURN collect([e.id, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, e.persona_id, i.type, i.value,
  e.order_key]) AS rows
