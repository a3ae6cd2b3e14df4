// Raise alerts of one visit; a kind and product that the visit was told of already stays as it is.
// params: brand, store, store_id, persona_id, visit_id, visit_event_ids, alerts [{id, kind, product_id, score, reason}…], now
// returns: raised
// mode: write
WITH COLLECT {
  MATCH (old:StoreAlert)
  WHERE old.visit_id IN $visit_event_ids AND old.brand = $brand
  RETURN [old.kind, old.product_id]
} AS known
UNWIND [alert IN $alerts WHERE NOT [alert.kind, alert.product_id] IN known] AS alert
MERGE (a:StoreAlert {id: alert.id})
ON CREATE SET a.brand = $brand, a.store = $store, a.store_id = $store_id, a.persona_id = $persona_id, a.visit_id = $visit_id,
  a.kind = alert.kind, a.product_id = alert.product_id, a.score = alert.score, a.reason = alert.reason, a.state = 'pending', a.at = $now
RETURN count(a) AS raised
