// Which identifiers a live profile's events carried together: one row for each set, however many events say it. From the time
// on at which an identifier became shared it only describes. Where events are over the bound, those that made a link or a
// merge are read all the same, so that a chain remains.
// params: brand, root, founding (event ids), trusts {trust: place}, limit
// returns: carried [[key, only describes]…], best [place of trust, at (microseconds), event id, trust, source], last_at (microseconds), events
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
WITH e, [(e)-[:CARRIES]->(i:Identifier) | [i.key, coalesce(e.occurred_at >= i.shared_since, false)]] AS carried,
  e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond AS at
RETURN carried, min([coalesce($trusts[coalesce(e.trust, '')], 9), at, e.id, e.trust, e.source]) AS best,
  max(at) AS last_at, count(*) AS events
