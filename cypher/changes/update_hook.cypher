// Change a webhook; a delivery under way loses its claim when release says so.
// params: brand, id, set: properties (null takes one away), release
// returns: id
// mode: write
MATCH (h:ChangeHook {id: $id})
WHERE h.brand = $brand
SET h += $set
SET h.lease_token = CASE WHEN $release THEN null ELSE h.lease_token END,
  h.lease_until = CASE WHEN $release THEN null ELSE h.lease_until END
RETURN h.id AS id
