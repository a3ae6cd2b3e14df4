// Live profiles with what the 360 and the lists of intents tell of them, each part only where it is wanted: what intents and
// journey are folded from (newest signals of each kind, first moments, orders), the profile itself, identifiers, merges, visits.
// Every part is an index look-up for each persona, so the cost does not grow with the history.
// params: brand, ids (any personas; `only_live` leaves out absorbed ones), only_live,
//   with_interest, kinds (signals of intents), interest (signals of consideration), newest (how many of each kind), orders,
//   consents (how many of the newest), payload_bytes (a longer payload is not read), names (of how many products at most),
//   with_profile, with_identifiers, limit (identifiers at most), with_merges, with_visits, until (microseconds),
//   signs (how many of each persona)
// returns: one row for each live profile: root (id), persona_ids (none when a merge
//   came in between), signals [[id, kind, at, products]…], first_touch, first_interest,
//   first_advocacy and visit_after [[id, at, kind]…], first_orders and delivered [[key, at]…], last_orders [[key, at, products]…],
//   consents [[id, type, at, channel, source, payload]…], names [[product_id, name]…] (the last of a product counts);
//   profile, is_steady (whether it is as it was when the read began: the database gives no snapshot, not even of one node),
//   personas, identifiers, merge_count, last_merge, prediction, trait_names, computed_traits, seen [{id, type, at, visit}…];
//   times in microseconds: the driver takes longer for one time than for all the rest of a row
// mode: read
UNWIND $ids AS asked_id
MATCH (asked:Customer {id: asked_id})
WHERE asked.brand = $brand
// Read once: a second look could find another root.
WITH asked_id, asked.root_id AS root_id
WHERE NOT $only_live OR root_id = asked_id
WITH DISTINCT root_id
MATCH (node:Customer {id: root_id})
WITH root_id, node, CASE WHEN $with_profile THEN properties(node) END AS before
OPTIONAL MATCH (p:Customer {root_id: root_id})
WITH root_id, node, before, p ORDER BY p.created_at, p.id
WITH root_id, node, before, collect(p.id) AS persona_ids
WITH root_id, node, before, persona_ids, CASE WHEN $with_interest THEN persona_ids ELSE [] END AS folded,
  CASE WHEN $with_profile THEN persona_ids ELSE [] END AS shown, CASE WHEN $with_visits THEN persona_ids ELSE [] END AS visitors,
  CASE WHEN $with_identifiers THEN persona_ids ELSE [] END AS holders, CASE WHEN $with_merges THEN persona_ids ELSE [] END AS joined
CALL (folded) {
  UNWIND folded AS id
  UNWIND $kinds AS kind
  CALL (id, kind) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = kind AND e.signal_at IS NOT NULL
    WITH e, e.signal_at AS at ORDER BY e.persona_id DESC, e.signal DESC, e.signal_at DESC LIMIT $newest
    RETURN [e.id, kind, at.epochSeconds * 1000000 + at.microsecond, e.products] AS signal
  }
  RETURN collect(signal) AS signals
}
CALL (folded) {
  UNWIND folded AS id
  CALL (id) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.occurred_at IS NOT NULL AND e.id IS NOT NULL
    RETURN e ORDER BY e.persona_id, e.occurred_at, e.id LIMIT 1
  }
  RETURN collect([e.id, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, e.type]) AS first_touch
}
CALL (folded) {
  UNWIND folded AS id
  UNWIND $interest AS kind
  CALL (id, kind) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = kind AND e.signal_at IS NOT NULL
    RETURN e ORDER BY e.persona_id, e.signal, e.signal_at LIMIT 1
  }
  RETURN collect([e.id, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, kind]) AS first_interest
}
CALL (folded) {
  UNWIND folded AS id
  CALL (id) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = 'advocacy' AND e.signal_at IS NOT NULL
    RETURN e ORDER BY e.persona_id, e.signal, e.signal_at LIMIT 1
  }
  RETURN collect([e.id, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, e.type]) AS first_advocacy
}
CALL (folded) {
  UNWIND folded AS id
  CALL (id) {
    MATCH (o:Order)
    WHERE o.persona_id = id AND o.placed_at IS NOT NULL AND o.counts
    RETURN o ORDER BY o.persona_id, o.placed_at LIMIT 5
  }
  RETURN collect([o.key, o.placed_at.epochSeconds * 1000000 + o.placed_at.microsecond]) AS first_orders, min(o.placed_at) AS bought
}
CALL (folded) {
  UNWIND folded AS id
  CALL (id) {
    MATCH (o:Order)
    WHERE o.persona_id = id AND o.placed_at IS NOT NULL AND o.counts
    RETURN o ORDER BY o.persona_id DESC, o.placed_at DESC LIMIT $orders
  }
  RETURN collect([o.key, o.placed_at.epochSeconds * 1000000 + o.placed_at.microsecond, o.products]) AS last_orders
}
CALL (folded) {
  UNWIND folded AS id
  CALL (id) {
    MATCH (o:Order)
    WHERE o.persona_id = id AND o.delivered_at IS NOT NULL AND o.counts
    RETURN o ORDER BY o.persona_id, o.delivered_at LIMIT 1
  }
  RETURN collect([o.key, o.delivered_at.epochSeconds * 1000000 + o.delivered_at.microsecond]) AS delivered
}
CALL (folded, bought) {
  UNWIND folded AS id
  CALL (id, bought) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = 'visit' AND e.signal_at > bought
    RETURN e ORDER BY e.persona_id, e.signal, e.signal_at LIMIT 1
  }
  RETURN collect([e.id, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, 'visit']) AS visit_after
}
CALL (folded) {
  UNWIND folded AS id
  CALL (id) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = 'consent' AND e.signal_at IS NOT NULL
    RETURN e ORDER BY e.persona_id DESC, e.signal DESC, e.signal_at DESC LIMIT $consents
  }
  RETURN collect([e.id, e.type, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, e.channel, e.source,
    CASE WHEN size(e.payload) <= $payload_bytes THEN e.payload END]) AS consents
}
CALL (signals) {
  UNWIND signals AS signal
  UNWIND signal[3] AS product_id
  WITH DISTINCT product_id LIMIT $names
  RETURN collect(product_id) AS product_ids
}
CALL (product_ids) {
  UNWIND product_ids AS product_id
  MATCH (n:ProductName {key: $brand + '|' + product_id})
  RETURN collect([product_id, n.name]) AS told_names
}
CALL (product_ids) {
  // Without a catalogue there is nothing to look for.
  UNWIND CASE WHEN EXISTS { MATCH (one:Product) WHERE one.brand = $brand AND one.product_id IS NOT NULL } THEN product_ids ELSE [] END AS product_id
  MATCH (n:Product)
  WHERE n.brand = $brand AND n.product_id = product_id AND n.title IS NOT NULL
  WITH product_id, n ORDER BY n.key DESC
  RETURN collect([product_id, n.title]) AS titles
}
CALL (shown) {
  UNWIND shown AS id
  MATCH (p:Customer {id: id})
  RETURN collect({id: p.id, recomputing: p.recomputing, channels: p.own_channels, sales: p.own_sales,
    strategies: COLLECT {
    MATCH (b:Brand {id: $brand}) RETURN b.trait_strategies }[0],
    traits: COLLECT {
    MATCH (p)-[:HAS_TRAIT]->(t:Trait)
    RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
      t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count] }}) AS personas
}
CALL (holders) {
  UNWIND holders AS id
  MATCH (p:Customer {id: id})-[h:HAS_IDENTIFIER]->(i:Identifier)
  WHERE h.until IS NULL
  WITH i, collect(DISTINCT h.source) AS sources, collect(DISTINCT h.trust) AS trusts, min(h.since) AS since LIMIT $limit
  RETURN collect({
    type: i.type, value: i.value, tier: i.tier, flags: i.flags, sources: sources, trusts: trusts,
    first_seen: i.first_seen.epochSeconds * 1000000 + i.first_seen.microsecond,
    last_seen: i.last_seen.epochSeconds * 1000000 + i.last_seen.microsecond,
    since: since.epochSeconds * 1000000 + since.microsecond, count: COUNT { (i)<-[:CARRIES]-() }
  }) AS identifiers
}
CALL (joined) {
  UNWIND joined AS id
  MATCH (p:Customer {id: id})<-[:JOINED]-(m:Merge)
  WHERE m.reverted_at IS NULL
  WITH DISTINCT m ORDER BY m.at DESC, coalesce(m.place, 0) DESC, m.id DESC
  RETURN count(m) AS merge_count, head(collect({
    merge_id: m.id, at: m.at.epochSeconds * 1000000 + m.at.microsecond, reason: m.reason,
    decided_by: m.decided_by, survivor_id: m.survivor_id, absorbed_ids: m.absorbed_ids
  })) AS last_merge
}
CALL (visitors) {
  UNWIND visitors AS id
  CALL (id) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.id IS NOT NULL
      AND e.visit_at <= datetime({epochSeconds: $until / 1000000, nanosecond: $until % 1000000 * 1000})
    RETURN e ORDER BY e.persona_id DESC, e.visit_at DESC, e.id DESC LIMIT $signs
  }
  RETURN collect({
    id: e.id, type: e.type, at: e.visit_at.epochSeconds * 1000000 + e.visit_at.microsecond, visit: e.visit
  }) AS seen
}
CALL (root_id, node) {
  WITH root_id, node WHERE $with_profile
  WITH root_id, properties(node) AS root
  OPTIONAL MATCH (prediction:Prediction {id: root_id})
  OPTIONAL MATCH (traits:TraitSet {id: $brand})
  OPTIONAL MATCH (computed:ComputedTraits {id: root_id})
  RETURN head(collect({
    properties: root, profile: root {
      .id, .brand, .strength, .ltv_minor, .ltv_other, .currency, .total_orders, .event_count, .segment, .stage,
      .churn_probability, .merge_count, .version, .persona_count,
      first_seen: root.first_seen.epochSeconds * 1000000 + root.first_seen.microsecond,
      last_seen: root.last_seen.epochSeconds * 1000000 + root.last_seen.microsecond,
      created_at: root.created_at.epochSeconds * 1000000 + root.created_at.microsecond
    },
    prediction: CASE WHEN prediction IS NOT NULL THEN
      prediction {.*, at: prediction.at.epochSeconds * 1000000 + prediction.at.microsecond} END,
    trait_names: traits.names, computed_traits: properties(computed)
  })) AS card
}
RETURN root_id AS root, persona_ids, signals, first_touch, first_interest, first_advocacy, first_orders, last_orders, delivered,
  visit_after, consents, told_names + titles AS names, personas, identifiers, merge_count, last_merge, seen, card.profile AS profile,
  before = card.properties AS is_steady,
  card.prediction AS prediction, card.trait_names AS trait_names, card.computed_traits AS computed_traits
