// Get or create the orders of a batch in key order, lock each, and read their facts.
// params: brand, keys sorted
// returns: one row, a list of key, facts (JSON or null), persona_id
// mode: write
UNWIND $keys AS key
MERGE (o:Order {key: key})
ON CREATE SET o.brand = $brand
SET o.brand = o.brand
RETURN collect([o.key, o.facts, o.persona_id]) AS rows
