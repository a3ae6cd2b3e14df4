// Privacy requests of a brand, the one that is due first before all others.
// params: brand, after_due, after_id (of the last item of the page before), limit
// returns: request
// mode: read
MATCH (r:PrivacyRequest {brand: $brand})
WHERE r.due_at > $after_due OR (r.due_at = $after_due AND r.id > $after_id)
RETURN r {.*} AS request
ORDER BY r.due_at, r.id
LIMIT $limit
