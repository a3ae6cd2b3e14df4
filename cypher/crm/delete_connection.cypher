// Take a connection away with its secrets and cursors; a sync at work is asked to end.
// params: brand, key
// returns: deleted
// mode: write
MATCH (c:CrmConnection {key: $key}) WHERE c.brand = $brand
OPTIONAL MATCH (s:CrmSync {active: $key})
SET s.cancel_requested = true
DELETE c
RETURN true AS deleted
