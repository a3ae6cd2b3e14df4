// What products are called: as a catalogue tells, else as the latest event did.
// params: brand, product_ids
// returns: product_id, name (null for one that nobody named)
// mode: read
UNWIND $product_ids AS product_id
OPTIONAL MATCH (n:ProductName {key: $brand + '|' + product_id})
RETURN product_id, coalesce(COLLECT {
  MATCH (p:Product)
  WHERE p.brand = $brand AND p.product_id = product_id AND p.title IS NOT NULL
  RETURN p.title ORDER BY p.key LIMIT 1
}[0], n.name) AS name
