// Brands whose identities changed since the feed was last written, those that wait longest first.
// params: kind, window
// returns: brand, oldest
// mode: read
MATCH (m:Mark)
WHERE m.kind = $kind AND m.created_at IS NOT NULL
WITH m.brand AS brand, m.created_at AS at ORDER BY m.kind, m.created_at LIMIT $window
// Of one that is taken away meanwhile the index alone tells.
WITH brand, at WHERE brand IS NOT NULL
RETURN brand, min(at) AS oldest ORDER BY oldest
