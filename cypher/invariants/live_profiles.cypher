// Every live profile of a brand with its stored aggregate beside what its personas really hold.
// params: brand
// returns: id, identifiers [type:value…], event_count, total_orders, ltv_minor, strength, performed, own_events, own_orders,
//   own_ltv_minor, personas
// mode: read
MATCH (p:Customer)
WHERE p.brand = $brand AND p.created_at IS NOT NULL AND p.id IS NOT NULL
WITH p.root_id AS root_id, collect(p) AS personas
MATCH (r:Customer {id: root_id})
RETURN r.id AS id,
  reduce(found = [], p IN personas | found + [(p)-[h:HAS_IDENTIFIER]->(i) WHERE h.until IS NULL | i.type + ':' + i.value])
    AS identifiers,
  r.event_count AS event_count, r.total_orders AS total_orders, r.ltv_minor AS ltv_minor, r.strength AS strength,
  reduce(n = 0, p IN personas | n + COUNT { (p)-[:PERFORMED]->(:Event) }) AS performed,
  reduce(n = 0, p IN personas | n + p.own_event_count) AS own_events,
  reduce(n = 0, p IN personas | n + p.own_orders) AS own_orders,
  reduce(n = 0, p IN personas | n + p.own_ltv_minor) AS own_ltv_minor,
  size(personas) AS personas
