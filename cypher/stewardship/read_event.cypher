// A stored event as a steward attaches it, read under its lock: of two who attach it one waits and sees what the other did.
// params: brand, id
// returns: id, at (microseconds), persona_id, order_key, attach_id
// mode: write
MATCH (e:Event {id: $id})
WHERE e.brand = $brand
SET e.brand = e.brand
WITH e
RETURN e.id AS id, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond AS at, e.persona_id AS persona_id,
  e.order_key AS order_key, e.attach_id AS attach_id
