// Everything that most batches write, in one round trip and in the lock order customers, orders; each node is looked up once.
// Money in minor units, times in microseconds, "other money" a list of CUR:minor or null.
// One map holds all lists: the server plans a query anew for each combination of the sizes of its list parameters.
// params: brand, currency, rule_version, now, mark_id, mark_kind, batch: a map of profile_ids, versions, event_ids,
//   created [[id, root_id, created, own events, orders, money, other money, first, last seen, events, orders, money,
//     other money, first, last seen, identifier_types, strength, personas, merges, version, identifier count, is tied,
//     has neighbours, own_channels, own_sales]…] new personas,
//   updated [[id, events, orders, money, other money, first seen, last seen, identifier_types, strength, personas, merges,
//     version, identifier count, is tied, has neighbours, own_channels, own_sales]…] live profiles of one persona, whose own statistics and aggregate are the same numbers,
//   profiles, personas, joined: rows as those of update_profiles, update_personas and join_cores,
//   orders [{key, order_id, source_instance, facts, persona_id, status, placed_at, total_minor, refunded_minor,
//     counted_minor, counts, currency, lines, channel, products, delivered_at, is_reowned}…] sorted by key,
//   links [[persona_id, identifier key, since, trust, source, event_id]…] sorted by key,
//   events [[id, type, channel, source, occurred, received, payload, decision, persona_id, fingerprint, trust, order_key,
//     amount_minor, currency, merge_id, merged_ids, review_id, warnings, rules, traits, is_sighting, signal, products,
//     visit_store, visit_at, visit]…],
//   performed [[persona_id, [places in events]]…], carried [[identifier key, first, last seen, [places in events], last sighting or null]…],
//   shop_events: ids of events that tell of products, orders or presence in a store,
//   changes: what happened to identities as JSON text, null when nothing did
// returns: misplaced: places of events that do not hold their event, always 0
// mode: write
WITH datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}) AS now
CALL () {
  UNWIND $batch.created AS r
  CREATE (c:Customer {
    id: r[0], brand: $brand, root_id: r[1], currency: $currency,
    created_at: datetime({epochSeconds: r[2] / 1000000, nanosecond: (r[2] % 1000000) * 1000}),
    own_event_count: r[3], own_orders: r[4], own_ltv_minor: r[5], own_ltv_other: r[6],
    own_first_seen: datetime({epochSeconds: r[7] / 1000000, nanosecond: (r[7] % 1000000) * 1000}),
    own_last_seen: datetime({epochSeconds: r[8] / 1000000, nanosecond: (r[8] % 1000000) * 1000}),
    event_count: r[9], total_orders: r[10], ltv_minor: r[11], ltv_other: r[12],
    first_seen: datetime({epochSeconds: r[13] / 1000000, nanosecond: (r[13] % 1000000) * 1000}),
    last_seen: datetime({epochSeconds: r[14] / 1000000, nanosecond: (r[14] % 1000000) * 1000}),
    identifier_types: r[15], strength: r[16], persona_count: r[17], merge_count: r[18], version: r[19],
    identifier_count: r[20], is_tied: r[21], has_neighbours: r[22], own_channels: r[23], own_sales: r[24],
    updated_at: datetime({epochSeconds: r[2] / 1000000, nanosecond: (r[2] % 1000000) * 1000})
  })
  RETURN count(*) AS created
}
CALL (now) {
  UNWIND $batch.updated AS r
  MATCH (c:Customer {id: r[0]})
  WHERE c.brand = $brand
  WITH c, r,
    CASE WHEN r[5] IS NULL THEN null
      ELSE datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}) END AS first,
    CASE WHEN r[6] IS NULL THEN null
      ELSE datetime({epochSeconds: r[6] / 1000000, nanosecond: (r[6] % 1000000) * 1000}) END AS last
  SET c.own_event_count = r[1], c.event_count = r[1],
    c.own_orders = r[2], c.total_orders = r[2],
    c.own_ltv_minor = r[3], c.ltv_minor = r[3],
    c.own_ltv_other = r[4], c.ltv_other = r[4],
    c.own_first_seen = first, c.first_seen = first,
    c.own_last_seen = last, c.last_seen = last,
    c.identifier_types = r[7], c.strength = r[8], c.version = r[11],
    c.identifier_count = r[12], c.is_tied = r[13], c.has_neighbours = r[14], c.own_channels = r[15], c.own_sales = r[16],
    c.updated_at = now
  RETURN count(*) AS updated
}
CALL (now) {
  UNWIND $batch.profiles AS r
  MATCH (c:Customer {id: r[0]})
  WHERE c.brand = $brand
  SET c.event_count = r[1], c.total_orders = r[2], c.ltv_minor = r[3], c.ltv_other = r[4],
    c.first_seen = CASE WHEN r[5] IS NULL THEN null
      ELSE datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}) END,
    c.last_seen = CASE WHEN r[6] IS NULL THEN null
      ELSE datetime({epochSeconds: r[6] / 1000000, nanosecond: (r[6] % 1000000) * 1000}) END,
    c.identifier_types = r[7], c.strength = r[8], c.persona_count = r[9], c.merge_count = r[10], c.version = r[11],
    c.identifier_count = r[12], c.is_tied = r[13], c.has_neighbours = r[14], c.updated_at = now
  RETURN count(*) AS aggregated
}
CALL () {
  UNWIND $batch.personas AS r
  MATCH (c:Customer {id: r[0]})
  WHERE c.brand = $brand
  SET c.own_event_count = r[1], c.own_orders = r[2], c.own_ltv_minor = r[3], c.own_ltv_other = r[4],
    c.own_channels = r[7], c.own_sales = r[8],
    c.own_first_seen = CASE WHEN r[5] IS NULL THEN null
      ELSE datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}) END,
    c.own_last_seen = CASE WHEN r[6] IS NULL THEN null
      ELSE datetime({epochSeconds: r[6] / 1000000, nanosecond: (r[6] % 1000000) * 1000}) END
  RETURN count(*) AS owned
}
CALL () {
  UNWIND $batch.joined AS r
  MATCH (a:Customer {id: r[0]}), (b:Customer {id: r[1]})
  WHERE a.brand = $brand AND b.brand = $brand
  MERGE (a)-[s:SAME_CORE]->(b)
  ON CREATE SET s.event_id = r[2]
  RETURN count(*) AS joined
}
CALL () {
  UNWIND $batch.orders AS r
  MATCH (o:Order {key: r.key})
  SET o.order_id = r.order_id, o.source_instance = r.source_instance, o.facts = r.facts,
    o.persona_id = r.persona_id, o.status = r.status,
    o.placed_at = CASE WHEN r.placed_at IS NULL THEN null
      ELSE datetime({epochSeconds: r.placed_at / 1000000, nanosecond: (r.placed_at % 1000000) * 1000}) END,
    o.total_minor = r.total_minor, o.refunded_minor = r.refunded_minor, o.counted_minor = r.counted_minor,
    o.counts = r.counts, o.currency = r.currency, o.lines = r.lines, o.channel = r.channel, o.products = r.products,
    o.delivered_at = CASE WHEN r.delivered_at IS NULL THEN null
      ELSE datetime({epochSeconds: r.delivered_at / 1000000, nanosecond: (r.delivered_at % 1000000) * 1000}) END
  WITH r, o
  WHERE r.is_reowned
  OPTIONAL MATCH (:Customer)-[old:PLACED]->(o)
  DELETE old
  WITH DISTINCT r, o
  MATCH (c:Customer {id: r.persona_id})
  CREATE (c)-[:PLACED]->(o)
  RETURN count(*) AS placed
}
CALL () {
  UNWIND $batch.links AS r
  MATCH (i:Identifier {key: r[1]})
  MATCH (c:Customer {id: r[0]})
  WHERE c.brand = $brand
  CREATE (c)-[:HAS_IDENTIFIER {
    since: datetime({epochSeconds: r[2] / 1000000, nanosecond: (r[2] % 1000000) * 1000}),
    trust: r[3], source: r[4], event_id: r[5]
  }]->(i)
  RETURN count(*) AS linked
}
CALL () {
  UNWIND $batch.events AS r
  CREATE (e:Event {
    id: r[0], brand: $brand, rule_version: $rule_version, type: r[1], channel: r[2], source: r[3],
    occurred_at: datetime({epochSeconds: r[4] / 1000000, nanosecond: (r[4] % 1000000) * 1000}),
    received_at: datetime({epochSeconds: r[5] / 1000000, nanosecond: (r[5] % 1000000) * 1000}),
    payload: r[6], decision: r[7], persona_id: r[8], fingerprint: r[9], trust: r[10], order_key: r[11],
    amount_minor: r[12], currency: r[13], merge_id: r[14], merged_ids: r[15], review_id: r[16], warnings: r[17],
    rules: r[18], traits: r[19], is_sighting: r[20],
    signal: r[21], products: r[22], signal_at: CASE WHEN r[21] IS NULL THEN null
      ELSE datetime({epochSeconds: r[4] / 1000000, nanosecond: (r[4] % 1000000) * 1000}) END,
    visit_store: r[23], visit: r[25], visit_at: CASE WHEN r[24] IS NULL THEN null
      ELSE datetime({epochSeconds: r[24] / 1000000, nanosecond: (r[24] % 1000000) * 1000}) END
  })
  RETURN collect(e) AS events
}
CALL (events) {
  UNWIND $batch.performed AS p
  MATCH (c:Customer {id: p[0]})
  UNWIND p[1] AS place
  WITH c, events[place] AS e
  CREATE (c)-[:PERFORMED]->(e)
  RETURN count(*) AS performed
}
CALL (events) {
  UNWIND $batch.carried AS k
  MATCH (i:Identifier {key: k[0]})
  WITH i, k[3] AS places,
    datetime({epochSeconds: k[1] / 1000000, nanosecond: (k[1] % 1000000) * 1000}) AS first,
    datetime({epochSeconds: k[2] / 1000000, nanosecond: (k[2] % 1000000) * 1000}) AS last,
    CASE WHEN k[4] IS NULL THEN null
      ELSE datetime({epochSeconds: k[4] / 1000000, nanosecond: (k[4] % 1000000) * 1000}) END AS sighted
  SET i.first_seen = CASE WHEN i.first_seen <= first THEN i.first_seen ELSE first END,
    i.last_seen = CASE WHEN i.last_seen >= last THEN i.last_seen ELSE last END,
    i.last_sighting = CASE WHEN sighted IS NULL OR i.last_sighting >= sighted THEN i.last_sighting ELSE sighted END
  WITH i, places
  UNWIND places AS place
  WITH i, events[place] AS e
  CREATE (e)-[:CARRIES]->(i)
  RETURN count(*) AS carried
}
CREATE (:Mark {
  id: $mark_id, brand: $brand, kind: $mark_kind, profile_ids: $batch.profile_ids, versions: $batch.versions, event_ids: $batch.event_ids,
  created_at: now
})
FOREACH (changes IN CASE WHEN $batch.changes IS NULL THEN [] ELSE [$batch.changes] END |
  CREATE (:Mark {
    id: $mark_id + '_identity', brand: $brand, kind: 'identity_changed', changes: changes, rule_version: $rule_version,
    created_at: datetime.realtime()
  })
)
FOREACH (_ IN CASE WHEN size($batch.shop_events) = 0 THEN [] ELSE [1] END |
  CREATE (:Mark {id: $mark_id + '_shop', brand: $brand, kind: 'shop_floor', event_ids: $batch.shop_events, created_at: now})
)
RETURN size([x IN range(0, size(events) - 1) WHERE events[x].id <> $batch.events[x][0]]) AS misplaced
