// Takes the trait values of personas away, to be counted anew from the events they have now.
// params: brand, ids
// returns: one row, a list of event id, persona id, source, at (microseconds), traits (JSON)
// mode: write
CALL () {
  UNWIND $ids AS id
  MATCH (c:Customer {id: id})-[:HAS_TRAIT]->(t:Trait)
  WHERE c.brand = $brand
  DETACH DELETE t
}
UNWIND $ids AS id
MATCH (c:Customer {id: id})-[:PERFORMED]->(e:Event)
WHERE c.brand = $brand AND e.traits IS NOT NULL
RETURN collect([e.id, c.id, e.source, e.occurred_at.epochSeconds * 1000000 + e.occurred_at.microsecond, e.traits]) AS rows
