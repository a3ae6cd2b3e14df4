// The live profiles that answer for the given ids, with what features are made from.
// params: brand, ids
// returns: rows (of one record; their places are those of CustomerRow)
// mode: read
UNWIND $ids AS id
MATCH (asked:Customer {id: id})
WHERE asked.brand = $brand
WITH DISTINCT asked.root_id AS root_id
MATCH (root:Customer {id: root_id})
RETURN collect([root.id, root.created_at.epochSeconds * 1000000 + root.created_at.microsecond, coalesce(root.version, 0),
  root.currency, coalesce(root.persona_count, 1), root.strength, root.identifier_types, root.merge_count,
  root.first_seen.epochMillis, root.last_seen.epochMillis,
  CASE WHEN coalesce(root.persona_count, 1) = 1 THEN [root.own_channels]
    ELSE COLLECT { MATCH (p:Customer {root_id: root.id}) RETURN p.own_channels } END,
  COLLECT { MATCH (root)-[:WANTS]->(i:Intent) RETURN [i.full, i.last_at.epochMillis] },
  COLLECT {
    MATCH (p:Customer {root_id: root.id})-[:PLACED]->(o:Order)
    WHERE (o.counts OR o.refunded_minor > 0) AND o.placed_at IS NOT NULL
    RETURN [CASE WHEN o.placed_at IS :: ZONED DATETIME THEN o.placed_at.epochMillis ELSE null END,
      o.counted_minor, o.refunded_minor, o.currency, o.lines, CASE WHEN o.refunded_minor > 0 THEN o.facts ELSE null END,
      o.counts, o.channel]
  }]) AS rows
