// The products with most going on, day by day: so many of each day, by the index.
// params: brand, days (YYYY-MM-DD), most (of each day)
// returns: product_id, heat (of the days where it is among them), the hottest first
// mode: read
UNWIND $days AS day
CALL (day) {
  MATCH (d:ProductDay)
  WHERE d.brand = $brand AND d.day = day AND d.heat > 0
  RETURN d ORDER BY d.brand DESC, d.day DESC, d.heat DESC LIMIT $most
}
RETURN d.product_id AS product_id, sum(d.heat) AS heat
ORDER BY heat DESC, product_id
LIMIT $most
