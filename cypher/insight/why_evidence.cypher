// Which identifiers a live profile's events carried together: one entry for each set, however many events say it, with one of
// them as a sample. Properties of events are read of the samples only: they are most of what such a query costs. From the time
// on at which an identifier became shared it only describes. Where events are over the bound, those that made a link or a
// merge are read all the same, so that a chain remains.
// params: brand, root, founding (event ids), limit
// returns: one row, a list of carried [key…], describing [key…], events, id and at (microseconds) of the sample
// mode: read
CALL () {
  CALL () {
    MATCH (p:Customer {root_id: $root})-[:PERFORMED]->(e:Event)
    WHERE p.brand = $brand AND COUNT { (e)-[:CARRIES]->() } > 1
    RETURN e LIMIT $limit
  }
  RETURN e
  UNION
  UNWIND $founding AS id
  MATCH (e:Event {id: id})<-[:PERFORMED]-(p:Customer)
  WHERE e.brand = $brand AND p.root_id = $root
  RETURN e
}
WITH e, [(e)-[:CARRIES]->(i:Identifier) | i] AS carried
WITH carried, collect(e) AS events
WITH carried, events, [i IN carried WHERE i.shared_since IS NOT NULL] AS hubs
CALL (events, hubs) {
  WITH events, hubs
  WHERE size(hubs) = 0
  RETURN [] AS describing, events AS saying
  UNION ALL
  WITH events, hubs
  WHERE size(hubs) > 0
  UNWIND events AS e
  RETURN [i IN hubs WHERE e.occurred_at >= i.shared_since | i.key] AS describing, collect(e) AS saying
}
WITH carried, describing, saying, saying[0] AS sample
RETURN collect([[i IN carried | i.key], describing, size(saying), sample.id,
  sample.occurred_at.epochSeconds * 1000000 + sample.occurred_at.microsecond]) AS rows
