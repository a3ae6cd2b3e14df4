// Identifiers that lead to the live profile of an id.
// params: brand, id, limit
// returns: held [{type, value, flags}…]
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
RETURN COLLECT {
  MATCH (p:Customer {root_id: asked.root_id})-[h:HAS_IDENTIFIER]->(i:Identifier)
  WHERE h.until IS NULL
  RETURN {type: i.type, value: i.value, flags: i.flags} LIMIT $limit
} AS held
