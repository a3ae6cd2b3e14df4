// A graph as commits leave it, from rows: customers, identifiers with links, events, orders, merges, refusals, reviews, marks.
UNWIND $customers AS row CREATE (c:Customer) SET c = row;
UNWIND $links AS row
MATCH (c:Customer {id: row.customer})
MERGE (i:Identifier {key: row.key})
ON CREATE SET i.brand = $brand, i.type = row.type, i.value = row.value, i.tier = row.tier, i.first_seen = row.since,
  i.last_seen = row.since
CREATE (c)-[:HAS_IDENTIFIER {since: row.since, until: row.until, trust: row.trust, source: row.source}]->(i);
UNWIND $events AS row
CREATE (e:Event) SET e = row.properties
WITH row, e
OPTIONAL MATCH (c:Customer {id: e.persona_id})
FOREACH (_ IN CASE WHEN c IS NULL THEN [] ELSE [1] END | CREATE (c)-[:PERFORMED]->(e))
WITH row, e
UNWIND row.keys AS key
MATCH (i:Identifier {key: key})
CREATE (e)-[:CARRIES]->(i);
UNWIND $orders AS row
MATCH (c:Customer {id: row.persona_id})
CREATE (c)-[:PLACED]->(o:Order) SET o = row;
UNWIND $merges AS row
CREATE (m:Merge) SET m = row
WITH m
UNWIND m.absorbed_ids + [m.survivor_id] AS id
MATCH (c:Customer {id: id})
CREATE (m)-[:JOINED {role: CASE WHEN id = m.survivor_id THEN 'survivor' ELSE 'absorbed' END}]->(c)
WITH m, c
WHERE c.id <> m.survivor_id AND m.reverted_at IS NULL
MATCH (s:Customer {id: m.survivor_id})
CREATE (c)-[:MERGED_INTO {link: m.id + '|' + c.id, merge_id: m.id, at: m.at}]->(s);
UNWIND $refusals AS row
MATCH (a:Customer {id: row.a}), (b:Customer {id: row.b})
CREATE (a)-[:NOT_SAME {pair: row.a + '|' + row.b, by: 'steward', at: row.at, reason: 'two people'}]->(b);
UNWIND $reviews AS row
CREATE (v:Review) SET v = row.properties
WITH v, row
UNWIND row.profile_ids AS id
MATCH (c:Customer {id: id})
CREATE (v)-[:PROPOSES]->(c);
UNWIND $marks AS row CREATE (m:Mark) SET m = row;
