// Schemas of a brand in order of type, newest version first, after (after_type, before_version).
// params: brand, type (null for all), is_active (null for all), after_type, before_version, limit
// returns: schema
// mode: read
MATCH (s:EventSchema)
WHERE s.brand = $brand AND s.type >= $after_type AND s.version IS NOT NULL AND ($type IS NULL OR s.type = $type)
  AND CASE WHEN s.type = $after_type THEN s.version < $before_version ELSE true END
  AND ($is_active IS NULL OR s.is_active = $is_active)
RETURN properties(s) AS schema
ORDER BY s.type, s.version DESC
LIMIT $limit
