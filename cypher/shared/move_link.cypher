// A strong identifier goes to the persona of the first person who carried it.
// params: brand, key, owner, since (microseconds), event_id
// returns: nothing
// mode: write
MATCH (i:Identifier {key: $key})<-[h:HAS_IDENTIFIER]-(was:Customer)
WHERE i.brand = $brand AND h.until IS NULL AND h.unlink_id IS NULL
SET was.links_version = coalesce(was.links_version, 0) + 1
WITH i, head(collect(h.trust)) AS trust, head(collect(h.source)) AS source, collect(h) AS old
FOREACH (h IN old | DELETE h)
WITH i, trust, source
MATCH (c:Customer {id: $owner})
CREATE (c)-[:HAS_IDENTIFIER {
  since: datetime({epochSeconds: $since / 1000000, nanosecond: ($since % 1000000) * 1000}),
  trust: trust, source: source, event_id: $event_id
}]->(i)
MERGE (c)-[:CARRIED]->(i)
