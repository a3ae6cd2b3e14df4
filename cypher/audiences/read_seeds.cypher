// Stored features of the live profiles that answer for the given ids.
// params: brand, ids
// returns: rows [[asked id, live id, cell (null without an order), currency, the columns that are compared…]…], in one record
// mode: read
UNWIND $ids AS id
MATCH (asked:Customer {id: id})
WHERE asked.brand = $brand
MATCH (root:Customer {id: asked.root_id})
OPTIONAL MATCH (root)-[:HAS_PREDICTION]->(p:Prediction)
OPTIONAL MATCH (root)-[:HAS_FEATURES]->(f:FeatureSet)
RETURN collect([id, root.id, p.rfm_cell, root.currency, f.recency_days, f.frequency, f.monetary_minor, f.order_day_value_mean_minor, f.order_day_gap_mean,
  f.first_order_days, f.refund_share, f.store_orders, f.event_count]) AS rows
