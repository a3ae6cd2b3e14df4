// A pending review asks no more about profiles that a person told apart from all others in it.
// params: brand, id, roots (live profiles), now (microseconds)
// returns: nothing
// mode: write
MATCH (v:Review {id: $id})
WHERE v.brand = $brand AND v.status = 'pending'
SET v.updated_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
WITH v
MATCH (v)-[p:PROPOSES]->(c:Customer)
WHERE c.root_id IN $roots
SET v.proposed_ids = [one IN coalesce(v.proposed_ids, []) WHERE one <> c.id]
DELETE p
