// Personas whose events by channel are not those that they performed.
// params: brand, limit
// returns: id, found, expected: lists of channel:count
// mode: read
MATCH (c:Customer {brand: $brand})
CALL (c) {
  MATCH (c)-[:PERFORMED]->(e:Event)
  WITH e.channel AS channel, count(*) AS events ORDER BY channel
  RETURN collect(channel + ':' + toString(events)) AS expected
}
WITH c, expected
WHERE coalesce(c.own_channels, []) <> expected
RETURN c.id AS id, c.own_channels AS found, expected
LIMIT $limit
