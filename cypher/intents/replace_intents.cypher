// The intents of live profiles as they stand now, in place of those kept before; and where each profile stands.
// Absorbed profiles lose theirs: the survivor's list has them. A profile that was absorbed since it was read is left out.
// params: brand, rows [{id, version, stage, journey_score, intents [{key, product_id, full, status, last_at, first_at, signals}…]}…] by id
// returns: ids that were stored
// mode: write
UNWIND $rows AS row
MATCH (c:Customer {id: row.id})
WHERE c.brand = $brand AND c.root_id = c.id
// The lock on the profile lets two tasks with it write one after the other.
SET c.stage = row.stage, c.journey_score = row.journey_score
WITH c, row
CALL (c, row) {
  MATCH (p:Customer {root_id: c.id})
  MATCH (old:Intent {profile_id: p.id})
  WHERE NOT old.key IN [i IN row.intents | i.key]
  DETACH DELETE old
}
CALL (c, row) {
  UNWIND row.intents AS i
  MERGE (n:Intent {key: i.key})
  SET n.brand = $brand, n.profile_id = c.id, n.product_id = i.product_id, n.full = i.full, n.status = i.status,
    n.last_at = i.last_at, n.first_at = i.first_at, n.signals = i.signals
  MERGE (c)-[:WANTS]->(n)
}
RETURN collect(c.id) AS ids
