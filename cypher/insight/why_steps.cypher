// The best event of a live profile for each pair of identifiers: best proven, then earliest, of those looked at.
// params: brand, root, pairs [[key, key]…] (the one with fewer events first), trusts {trust: place}, per_identifier (events
//   looked through), limit (events of a pair)
// returns: place (in pairs), best [place of trust, at (microseconds), event id, trust, source]
// mode: read
UNWIND range(0, size($pairs) - 1) AS place
MATCH (i:Identifier {key: $pairs[place][0]})
WHERE i.brand = $brand
WITH place, i
MATCH (j:Identifier {key: $pairs[place][1]})
WHERE j.brand = $brand
CALL (i, j) {
  MATCH (i)<-[:CARRIES]-(e:Event)
  WITH i, j, e LIMIT $per_identifier
  MATCH (e)-[:CARRIES]->(other:Identifier)
  WHERE other = j
  MATCH (e)<-[:PERFORMED]-(p:Customer)
  WHERE p.root_id = $root
  WITH i, j, e LIMIT $limit
  WHERE coalesce(e.occurred_at < i.shared_since, true)
    AND coalesce(e.occurred_at < j.shared_since, true)
  RETURN min([coalesce($trusts[coalesce(e.trust, '')], 9),
    e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, e.id, e.trust, e.source]) AS best
}
RETURN place, best
