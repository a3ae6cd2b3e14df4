// Bench, check after a measurement: how many rows a brand has, so that nobody is fast by writing less.
// params: brand
// returns: customers, events, carried, links
// mode: read
MATCH (c:Customer {brand: $brand})
OPTIONAL MATCH (c)-[:PERFORMED]->(e:Event)
WITH c, count(e) AS events, sum(COUNT { (e)-[:CARRIES]->(:Identifier) }) AS carried
RETURN count(c) AS customers, sum(events) AS events, sum(carried) AS carried,
  sum(COUNT { (c)-[:HAS_IDENTIFIER]->(:Identifier) }) AS links
