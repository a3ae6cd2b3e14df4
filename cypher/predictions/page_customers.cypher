// One page of live profiles with what features are made from, oldest first, after the cursor (after_at, after_id).
// params: brand, after_at, after_id, limit, seen_before (signs of presence in stores before it; null: none), signs (how many of each persona)
// returns: rows (of one record; their places are those of CustomerRow)
// A profile of one persona (by its count, which commits keep) is read without looking for others.
// mode: read
MATCH (root:Customer)
WHERE root.brand = $brand AND root.created_at >= $after_at AND root.id IS NOT NULL
  AND CASE WHEN root.created_at = $after_at THEN root.id > $after_id ELSE true END
  AND root.root_id = root.id
WITH root ORDER BY root.brand, root.created_at, root.id LIMIT $limit
WITH root, CASE WHEN coalesce(root.persona_count, 1) = 1 THEN [root]
    ELSE COLLECT { MATCH (p:Customer {root_id: root.id}) RETURN p } END AS personas
RETURN collect([root.id, root.created_at.epochSeconds * 1000000 + root.created_at.microsecond, coalesce(root.version, 0),
  root.currency, coalesce(root.persona_count, 1), root.strength, root.identifier_types, root.merge_count,
  root.first_seen.epochMillis, root.last_seen.epochMillis,
  [p IN personas | p.own_channels],
  COLLECT {
    MATCH (root)-[:WANTS]->(i:Intent)
    WITH i.full AS full, i.last_at.epochMillis AS at
    // One that is replaced meanwhile reads as nulls.
    WHERE full IS NOT NULL AND at IS NOT NULL
    RETURN [full, at]
  },
  COLLECT {
    UNWIND personas AS p
    CALL (p) {
      MATCH (e:Event)
      WHERE e.persona_id = p.id AND e.visit_at < $seen_before AND e.id IS NOT NULL
      RETURN e ORDER BY e.persona_id DESC, e.visit_at DESC, e.id DESC LIMIT $signs
    }
    RETURN e.visit_at.epochMillis
  },
  COLLECT {
    UNWIND personas AS p
    MATCH (p)-[:PLACED]->(o:Order)
    WHERE (o.counts OR o.refunded_minor > 0) AND o.placed_at IS NOT NULL
    RETURN [CASE WHEN o.placed_at IS :: ZONED DATETIME THEN o.placed_at.epochMillis ELSE null END,
      o.counted_minor, o.refunded_minor, o.currency, o.lines, CASE WHEN o.refunded_minor > 0 THEN o.facts ELSE null END,
      o.counts, o.channel]
  }]) AS rows
