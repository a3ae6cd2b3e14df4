// Personas whose cached live profile is not the end of their pointers, or that point at more than one.
// params: brand, limit
// returns: id, found, expected
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL
OPTIONAL MATCH (c)-[:MERGED_INTO]->(up:Customer)
WITH c, collect(up) AS above
WITH c, size(above) AS pointers,
  CASE WHEN size(above) = 0 THEN c.id ELSE above[0].root_id END AS expected
WHERE c.root_id <> expected OR pointers > 1
RETURN c.id AS id, c.root_id AS found, expected
LIMIT $limit
