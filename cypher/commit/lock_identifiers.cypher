// Get or create the identifiers of a batch in key order, lock each, and read who holds it after the last lock is taken.
// Setting a property to its own value takes the node's write lock and writes nothing.
// params: brand, rows [[key, type, value, tier, first seen in microseconds]…] sorted by key
// returns: one row, a list of key, flags, holders [[persona id, root id, trust, links version, is gone]…], shared since, people,
//   timeline, last sighting, whether it was used before as read_batch
// mode: write
UNWIND $rows AS r
MERGE (i:Identifier {key: r[0]})
ON CREATE SET i.brand = $brand, i.type = r[1], i.value = r[2], i.tier = r[3],
  i.first_seen = datetime({epochSeconds: r[4] / 1000000, nanosecond: (r[4] % 1000000) * 1000})
SET i.tier = i.tier
WITH collect(i) AS locked
UNWIND locked AS i
WITH i, [(i)<-[h:HAS_IDENTIFIER]-(c:Customer) | [h.until IS NULL, c.id, c.root_id, h.trust, c.links_version, h.since IS NULL]] AS links
WITH i, links, [link IN links WHERE link[0] | link[1..]] AS holders
RETURN collect([i.key, i.flags, holders, i.shared_since.epochSeconds * 1000000 + i.shared_since.microsecond, i.people,
  CASE WHEN 'contested' IN i.flags THEN [(i)<-[h:HAS_IDENTIFIER]-(c:Customer)
    | [h.since.epochSeconds * 1000000 + h.since.microsecond, h.event_id, c.id, c.root_id, c.links_version,
      CASE WHEN h.unlink_id IS NOT NULL THEN h.until.epochSeconds * 1000000 + h.until.microsecond END, size(keys(h)) = 0]] END,
  i.last_sighting.epochSeconds * 1000000 + i.last_sighting.microsecond,
  CASE WHEN i.tier IN [3, 4] AND (size(holders) < size(links) OR size(links) = 0 AND i.last_seen IS NOT NULL)
    THEN true END]) AS rows
