// Claim a locked webhook for one worker, unless another one serves it.
// params: brand, id, now, until, token
// returns: hook (properties)
// mode: write
MATCH (h:ChangeHook {id: $id})
WHERE h.brand = $brand AND h.is_active = true AND h.next_at <= $now AND (h.lease_until IS NULL OR h.lease_until < $now)
SET h.lease_until = $until, h.lease_token = $token
RETURN properties(h) AS hook
