// Pending reviews that share all of these identifiers and rules and have not changed since `as_of`, oldest first.
// params: brand, identifiers, rules, as_of, limit
// returns: ids, total (with those above the limit)
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.status = 'pending' AND v.updated_at <= $as_of
  AND all(identifier IN $identifiers WHERE identifier IN v.identifiers)
WITH v, CASE
  WHEN size(coalesce(v.rules, [])) > 0 THEN v.rules
  WHEN size(v.event_ids) > 0 THEN ['threshold']
  ELSE ['suggestion'] END AS found
WHERE all(rule IN $rules WHERE rule IN found)
WITH v ORDER BY v.created_at, v.id
WITH collect(v.id) AS ids
RETURN ids[0..$limit] AS ids, size(ids) AS total
