// Linking identifiers that two live profiles hold now without a review, a mark or an import that says why.
// params: brand, limit
// returns: id, roots
// mode: read
MATCH (c:Customer)-[h:HAS_IDENTIFIER]->(i:Identifier)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL AND h.until IS NULL AND i.tier < 5
WITH i, collect(DISTINCT c.root_id) AS roots, collect(h.source) AS sources,
  collect(CASE WHEN h.trust = 'imported' THEN 1 END) AS imported
WHERE size(roots) > 1 AND size(imported) = 0
  AND NOT EXISTS { MATCH (a:Customer)-[n:NOT_SAME]-(b:Customer)
    WHERE a.root_id IN roots AND b.root_id IN roots AND n.ended_at IS NULL }
  AND NOT EXISTS { MATCH (a:Customer)<-[:PROPOSES]-(v:Review {status: 'pending'})-[:PROPOSES]->(b:Customer)
    WHERE a.root_id = roots[0] AND b.root_id = roots[1] }
RETURN i.key AS id, roots
LIMIT $limit
