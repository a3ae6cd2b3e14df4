// Stored features of live profiles with orders, cell by cell of the grid, until there are enough.
// params: brand, cells (those wanted most first), limit
// returns: rows [[id, segment, churn_probability, the columns that are compared…]…], in one record
// mode: read
UNWIND $cells AS cell
MATCH (p:Prediction)
WHERE p.brand = $brand AND p.rfm_cell = cell AND p.id IS NOT NULL
MATCH (p)<-[:HAS_PREDICTION]-(c:Customer)-[:HAS_FEATURES]->(f:FeatureSet)
WHERE c.root_id = c.id
WITH p, f LIMIT $limit
RETURN collect([p.id, p.segment, p.churn_probability, f.recency_days, f.frequency, f.monetary_minor, f.order_day_value_mean_minor, f.order_day_gap_mean,
  f.first_order_days, f.refund_share, f.store_orders, f.event_count]) AS rows
