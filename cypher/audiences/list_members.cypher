// One page of live profiles in cells of the grid, in order of cell and id, after the cursor (from_cell, after_id).
// params: brand, from_cell, to_cell, after_id, limit
// returns: prediction (properties)
// mode: read
MATCH (p:Prediction)
WHERE p.brand = $brand AND p.rfm_cell >= $from_cell AND p.rfm_cell <= $to_cell AND p.id IS NOT NULL
  AND CASE WHEN p.rfm_cell = $from_cell THEN p.id > $after_id ELSE true END
  AND EXISTS { MATCH (c:Customer)-[:HAS_PREDICTION]->(p) WHERE c.root_id = c.id }
WITH p, properties(p) AS prediction
// One that is taken away before its properties are read has none; it must not take a place of the page either.
WHERE prediction.at IS NOT NULL
WITH p, prediction ORDER BY p.brand, p.rfm_cell, p.id LIMIT $limit
RETURN prediction
