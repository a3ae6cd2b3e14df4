// What alerts and the store page need of live profiles.
// params: brand, roots
// returns: id, ltv_minor, currency, total_orders, segment, churn, last_seen, channels (own_channels of each persona)
// mode: read
UNWIND $roots AS root_id
MATCH (c:Customer {id: root_id})
WHERE c.brand = $brand
RETURN c.id AS id, c.ltv_minor AS ltv_minor, c.currency AS currency, c.total_orders AS total_orders, c.segment AS segment,
  c.churn_probability AS churn, c.last_seen AS last_seen,
  COLLECT { MATCH (p:Customer {root_id: c.id}) RETURN p.own_channels } AS channels
