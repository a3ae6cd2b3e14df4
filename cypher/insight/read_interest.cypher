// What intents and journey of live profiles are folded from: its newest signals of each kind, its first moments, its orders.
// Every part is an index look-up for each persona, so the cost does not grow with the history.
// params: brand, roots, kinds (signals of intents), interest (signals of consideration), newest (how many of each kind),
//   orders, consents (how many of the newest), payload_bytes (a longer payload is not read),
//   names (of how many products at most the name is wanted)
// returns: one row for each root: root, personas (ids), signals [[id, kind, at, products, channel]…], first_touch, first_interest,
//   first_advocacy and visit_after [[id, at, kind]…], first_orders and delivered [[key, at]…], last_orders [[key, at, products]…],
//   consents [[id, type, at, channel, source, payload]…], names [[product_id, name]…];
//   times in microseconds: the driver takes longer for one time than for all the rest of a row
// mode: read
UNWIND $roots AS root
MATCH (p:Customer {root_id: root})
WHERE p.brand = $brand
WITH root, collect(p.id) AS personas
CALL (personas) {
  UNWIND personas AS id
  UNWIND $kinds AS kind
  CALL (id, kind) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = kind AND e.signal_at IS NOT NULL
    RETURN e ORDER BY e.persona_id DESC, e.signal DESC, e.signal_at DESC LIMIT $newest
  }
  RETURN collect([e.id, kind, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, e.products, e.channel]) AS signals
}
CALL (personas) {
  UNWIND personas AS id
  CALL (id) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.occurred_at IS NOT NULL AND e.id IS NOT NULL
    RETURN e ORDER BY e.persona_id, e.occurred_at, e.id LIMIT 1
  }
  RETURN collect([e.id, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, e.type]) AS first_touch
}
CALL (personas) {
  UNWIND personas AS id
  UNWIND $interest AS kind
  CALL (id, kind) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = kind AND e.signal_at IS NOT NULL
    RETURN e ORDER BY e.persona_id, e.signal, e.signal_at LIMIT 1
  }
  RETURN collect([e.id, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, kind]) AS first_interest
}
CALL (personas) {
  UNWIND personas AS id
  CALL (id) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = 'advocacy' AND e.signal_at IS NOT NULL
    RETURN e ORDER BY e.persona_id, e.signal, e.signal_at LIMIT 1
  }
  RETURN collect([e.id, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, e.type]) AS first_advocacy
}
CALL (personas) {
  UNWIND personas AS id
  CALL (id) {
    MATCH (o:Order)
    WHERE o.persona_id = id AND o.placed_at IS NOT NULL AND o.counts
    RETURN o ORDER BY o.persona_id, o.placed_at LIMIT 5
  }
  RETURN collect([o.key, o.placed_at.epochSeconds * 1000000 + o.placed_at.microsecond]) AS first_orders, min(o.placed_at) AS bought
}
CALL (personas) {
  UNWIND personas AS id
  CALL (id) {
    MATCH (o:Order)
    WHERE o.persona_id = id AND o.placed_at IS NOT NULL AND o.counts
    RETURN o ORDER BY o.persona_id DESC, o.placed_at DESC LIMIT $orders
  }
  RETURN collect([o.key, o.placed_at.epochSeconds * 1000000 + o.placed_at.microsecond, o.products]) AS last_orders
}
CALL (personas) {
  UNWIND personas AS id
  CALL (id) {
    MATCH (o:Order)
    WHERE o.persona_id = id AND o.delivered_at IS NOT NULL AND o.counts
    RETURN o ORDER BY o.persona_id, o.delivered_at LIMIT 1
  }
  RETURN collect([o.key, o.delivered_at.epochSeconds * 1000000 + o.delivered_at.microsecond]) AS delivered
}
CALL (personas, bought) {
  UNWIND personas AS id
  CALL (id, bought) {
    MATCH (e:Event)
    WHERE e.persona_id = id AND e.signal = 'visit' AND e.signal_at > bought
    RETURN e ORDER BY e.persona_id, e.signal, e.signal_at LIMIT 1
  }
  RETURN collect([e.id, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, 'visit']) AS visit_after
}
CALL (personas) {
  UNWIND personas AS id
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
  OPTIONAL MATCH (n:ProductName {key: $brand + '|' + product_id})
  RETURN collect([product_id, coalesce(COLLECT {
    MATCH (p:Product)
    WHERE p.brand = $brand AND p.product_id = product_id AND p.title IS NOT NULL
    RETURN p.title ORDER BY p.key LIMIT 1
  }[0], n.name)]) AS names
}
RETURN root, personas, signals, first_touch, first_interest, first_advocacy, first_orders, last_orders, delivered, visit_after,
  consents, names
