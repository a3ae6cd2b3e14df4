// Weak ties: personas joined only by a device or cookie; these pointers fall when the evidence does
// params: brand
// returns: paths to draw
// mode: read
MATCH (c:Customer)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.is_tied AND c.root_id = c.id
WITH c LIMIT 50
MATCH (p:Customer {root_id: c.id})
MATCH tie = (p)-[m:MERGED_INTO {weak: true}]->(:Customer)
RETURN tie
LIMIT 100
