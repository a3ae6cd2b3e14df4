// Lock live profiles in id order, then read them and the personas involved: whoever changes a persona holds its root.
// params: brand, roots sorted ids, customers ids (roots and personas)
// returns: one row, a list of id, root_id, own statistics (events, orders, money, other money, first, last seen), aggregate statistics,
//   identifier_types, strength, persona_count, merge_count, version; times in microseconds
// mode: write
UNWIND $roots AS id
MATCH (r:Customer {id: id})
WHERE r.brand = $brand
SET r.brand = r.brand
WITH count(r) AS locked
UNWIND $customers AS id
MATCH (c:Customer {id: id})
RETURN collect([c.id, c.root_id,
  c.own_event_count, c.own_orders, c.own_ltv_minor, c.own_ltv_other,
  c.own_first_seen.epochSeconds * 1000000 + c.own_first_seen.microsecond,
  c.own_last_seen.epochSeconds * 1000000 + c.own_last_seen.microsecond,
  c.event_count, c.total_orders, c.ltv_minor, c.ltv_other,
  c.first_seen.epochSeconds * 1000000 + c.first_seen.microsecond,
  c.last_seen.epochSeconds * 1000000 + c.last_seen.microsecond,
  c.identifier_types, c.strength, c.persona_count, c.merge_count, c.version]) AS rows
