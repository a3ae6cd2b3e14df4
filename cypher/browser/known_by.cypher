// What customers are known by: live profiles for each set of identifier types, a table
// params: brand
// returns: known_by, profiles, events
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.root_id = c.id
RETURN c.identifier_types AS known_by, count(*) AS profiles, sum(c.event_count) AS events
ORDER BY profiles DESC
LIMIT 50
