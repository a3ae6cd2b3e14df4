// Customers in each cell of the grid of recency, frequency and money.
// params: brand
// returns: cell (three digits), customers
// mode: read
MATCH (p:Prediction)
WHERE p.brand = $brand AND p.rfm_cell IS NOT NULL AND p.id IS NOT NULL
RETURN p.rfm_cell AS cell, count(*) AS customers
ORDER BY cell
