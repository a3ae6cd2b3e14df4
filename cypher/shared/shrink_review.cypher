// An open review lets go of profiles and events that meet over a shared identifier only.
// params: brand, id, keep (live profiles), event_ids, now (microseconds)
// returns: nothing
// mode: write
MATCH (v:Review {id: $id})
WHERE v.brand = $brand AND v.status = 'pending'
SET v.event_ids = $event_ids,
  v.updated_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
WITH v
MATCH (v)-[p:PROPOSES]->(c:Customer)
WHERE NOT c.root_id IN $keep
SET v.proposed_ids = [one IN coalesce(v.proposed_ids, []) WHERE one <> c.id]
DELETE p
