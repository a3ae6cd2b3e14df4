// Links to identifiers that end before they begin, begin at no time, or stand twice between one persona and one identifier.
// params: brand, limit
// returns: id, other, found
// mode: read
MATCH (c:Customer)-[h:HAS_IDENTIFIER]->(i:Identifier)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL
WITH c, i, collect(h) AS links, sum(CASE WHEN h.until IS NULL THEN 1 ELSE 0 END) AS current
WHERE current > 1 OR any(h IN links WHERE h.since IS NULL OR h.until < h.since)
RETURN c.id AS id, i.key AS other, [h IN links | [h.since, h.until]] AS found
LIMIT $limit
