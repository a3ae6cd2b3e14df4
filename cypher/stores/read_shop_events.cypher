// What events tell of products, orders and presence; those that were removed since are missing.
// params: brand, ids, payload_bytes (a longer payload is not read)
// returns: id, signal, at, products, order_key, visit_store, visit, visit_at, root_id, payload, lines (of its order)
// mode: read
UNWIND $ids AS id
MATCH (e:Event {id: id})
WHERE e.brand = $brand
OPTIONAL MATCH (p:Customer {id: e.persona_id})
OPTIONAL MATCH (o:Order {key: e.order_key})
RETURN e.id AS id, e.signal AS signal, e.occurred_at AS at, e.products AS products, e.order_key AS order_key,
  e.visit_store AS visit_store, e.visit AS visit, e.visit_at AS visit_at, p.root_id AS root_id,
  CASE WHEN size(e.products) > 0 AND size(e.payload) <= $payload_bytes THEN e.payload END AS payload, o.lines AS lines
