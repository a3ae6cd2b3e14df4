// One customer: personas, identifiers, merges and the latest orders around one identifier
// params: brand, type (such as email), value (its normal form)
// returns: paths to draw
// mode: read
MATCH (i:Identifier {key: $brand + '|' + $type + '|' + $value})<-[:HAS_IDENTIFIER]-(held:Customer)
MATCH (root:Customer {id: held.root_id})
MATCH (persona:Customer {root_id: root.id})
OPTIONAL MATCH merged = (persona)-[:MERGED_INTO]->(:Customer)
OPTIONAL MATCH held_by = (persona)-[h:HAS_IDENTIFIER]->(:Identifier) WHERE h.until IS NULL
CALL (persona) {
  OPTIONAL MATCH bought = (persona)-[:PLACED]->(o:Order)
  RETURN bought ORDER BY o.placed_at DESC LIMIT 5
}
RETURN root, persona, merged, held_by, bought
LIMIT 200
