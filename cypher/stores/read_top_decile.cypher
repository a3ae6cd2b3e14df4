// From which lifetime value on a customer is among the top tenth of those who bought: reads every buyer.
// params: brand
// returns: buyers, top_minor
// mode: read
CALL () {
  MATCH (c:Customer)
  WHERE c.brand = $brand AND c.ltv_minor > 0 AND c.root_id = c.id
  RETURN count(c) AS buyers, percentileDisc(c.ltv_minor, 0.9) AS top_minor
}
RETURN buyers, top_minor
