// Alerts in one store, newest first, each with the live profile of now.
// params: brand, store (key of the store), before_at, before_id, limit
// returns: alert, profile_id
// mode: read
MATCH (a:StoreAlert)
WHERE a.store = $store AND a.brand = $brand AND a.at <= $before_at AND a.id IS NOT NULL
  AND CASE WHEN a.at = $before_at THEN a.id < $before_id ELSE true END
WITH a ORDER BY a.store DESC, a.at DESC, a.id DESC LIMIT $limit
OPTIONAL MATCH (p:Customer {id: a.persona_id})
RETURN a {.*} AS alert, p.root_id AS profile_id
ORDER BY alert.at DESC, alert.id DESC
