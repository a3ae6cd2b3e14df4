// Move an alert on where it stands in one of the states allowed; the alert as it is then.
// params: brand, id, allowed (states), state, at, by, channel (or null)
// returns: alert, profile_id, moved
// mode: write
MATCH (a:StoreAlert {id: $id})
WHERE a.brand = $brand
SET a.brand = a.brand
WITH a, a.state IN $allowed AS moves
FOREACH (_ IN CASE WHEN moves THEN [1] ELSE [] END |
  SET a.state = $state, a.changed_by = $by, a.channel = coalesce($channel, a.channel),
    a.delivered_at = CASE WHEN $state IN ['delivered', 'viewed'] THEN coalesce(a.delivered_at, $at) ELSE a.delivered_at END,
    a.viewed_at = CASE WHEN $state = 'viewed' THEN $at ELSE a.viewed_at END,
    a.dismissed_at = CASE WHEN $state = 'dismissed' THEN $at ELSE a.dismissed_at END
)
WITH a, moves
OPTIONAL MATCH (p:Customer {id: a.persona_id})
RETURN a {.*} AS alert, p.root_id AS profile_id, moves AS moved
