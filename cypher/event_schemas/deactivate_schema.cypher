// No schema counts for an event type any more.
// params: brand, type
// returns: stopped
// mode: write
MATCH (s:EventSchema) WHERE s.brand = $brand AND s.is_active = true AND s.type = $type
SET s.is_active = false
RETURN count(s) AS stopped
