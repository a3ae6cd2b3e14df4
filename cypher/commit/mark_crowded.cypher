// Strong identifiers that several people carried: who did, beside the persona that holds each; whoever read them
// before the holder's lock reads again.
// params: brand, rows [{key, people (persona ids)}…]
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (i:Identifier {key: r.key})
WHERE i.brand = $brand
SET i.people = r.people
WITH i, r.people AS people, [(i)<-[h:HAS_IDENTIFIER]-(c:Customer) WHERE h.until IS NULL | c] AS holders
FOREACH (c IN holders | SET c.links_version = coalesce(c.links_version, 0) + 1)
WITH i, people + [c IN holders | c.id] AS people
UNWIND people AS id
MATCH (c:Customer {id: id})
MERGE (c)-[:CARRIED]->(i)
