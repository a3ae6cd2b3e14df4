// What the new events of a batch say of people, counted beside what was said before.
// params: brand, rows [[key, persona id, name, source, value (JSON), first (microseconds), last, events]…] sorted by key
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (c:Customer {id: r[1]})
WHERE c.brand = $brand
MERGE (t:Trait {key: r[0]})
ON CREATE SET t.brand = $brand, t.persona_id = r[1], t.name = r[2], t.source = r[3], t.value = r[4], t.count = 0,
  t.first_at = datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}),
  t.last_at = datetime({epochSeconds: r[6] / 1000000, nanosecond: (r[6] % 1000000) * 1000})
WITH c, t, r,
  datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}) AS first,
  datetime({epochSeconds: r[6] / 1000000, nanosecond: (r[6] % 1000000) * 1000}) AS last
SET t.count = t.count + r[7],
  t.first_at = CASE WHEN first < t.first_at THEN first ELSE t.first_at END,
  t.last_at = CASE WHEN last > t.last_at THEN last ELSE t.last_at END
MERGE (c)-[:HAS_TRAIT]->(t)
