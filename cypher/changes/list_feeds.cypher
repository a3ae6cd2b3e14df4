// Brands that have a feed.
// params: none
// returns: brand
// mode: read
MATCH (f:ChangeFeed)
WHERE f.brand IS NOT NULL
RETURN f.brand AS brand ORDER BY f.brand
