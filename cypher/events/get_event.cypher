// One stored event with its identifiers and the live profile of who performed it.
// params: brand, id
// returns: event, profile_id, identifiers
// mode: read
MATCH (e:Event {id: $id})
WHERE e.brand = $brand
OPTIONAL MATCH (p:Customer {id: e.persona_id})
CALL (e) {
  OPTIONAL MATCH (e)-[:CARRIES]->(i:Identifier)
  RETURN collect([i.type, i.value]) AS identifiers
}
RETURN properties(e) AS event, p.root_id AS profile_id, identifiers
