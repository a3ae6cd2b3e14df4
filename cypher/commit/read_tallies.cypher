// Events by channel and placed orders of personas, for counting their tallies anew; their root is locked.
// params: brand, ids
// returns: one row, a list of persona_id, [[channel, events]…], [[placed (microseconds), channel, currency, counted_minor, counts, lines]…]
// mode: read
UNWIND $ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand
CALL (c) {
  MATCH (e:Event)
  USING INDEX e:Event(persona_id, occurred_at, id)
  WHERE e.persona_id = c.id AND e.occurred_at IS NOT NULL AND e.id IS NOT NULL
  WITH e.channel AS channel, count(*) AS events
  RETURN collect([channel, events]) AS channels
}
CALL (c) {
  MATCH (c)-[:PLACED]->(o:Order)
  RETURN collect([o.placed_at.epochSeconds * 1000000 + o.placed_at.microsecond, o.channel, o.currency, o.counted_minor,
    o.counts, o.lines]) AS orders
}
RETURN collect([c.id, channels, orders]) AS rows
