// Connections of any brand whose next sync is due.
// params: at, limit
// returns: brand, name
// mode: read
MATCH (c:CrmConnection) WHERE c.next_at <= $at
RETURN c.brand AS brand, c.name AS name
ORDER BY c.next_at
LIMIT $limit
