// Pending reviews of a kind that share all of these identifiers and rules and have not changed since `as_of`, oldest first.
// params: brand, identifiers, rules, kind, as_of, limit
// returns: ids, total (with those above the limit), changed (how many match but changed since)
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.status = 'pending' AND v.created_at IS NOT NULL AND coalesce(v.kind, 'rules') = $kind
  AND all(identifier IN $identifiers WHERE identifier IN v.identifiers)
  AND all(rule IN $rules WHERE rule IN v.rules)
WITH v ORDER BY v.created_at, v.id
WITH collect(CASE WHEN v.updated_at <= $as_of THEN v.id END) AS ids, count(v) AS found
RETURN ids[0..$limit] AS ids, size(ids) AS total, found - size(ids) AS changed
