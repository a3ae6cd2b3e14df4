// Lock live profiles in id order and read each after its lock is taken.
// Setting a property to its own value takes the node's write lock and writes nothing.
// params: brand, ids sorted
// returns: one row, a list of id, root_id, own statistics (events, orders, money, other money, first, last seen),
//   aggregate statistics, identifier_types, strength, persona_count, merge_count, version, identifier_count,
//   is_tied, links_version, own_channels, own_sales, has_neighbours; times in microseconds
// mode: write
UNWIND $ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand
SET c.version = c.version
RETURN collect([c.id, c.root_id,
  c.own_event_count, c.own_orders, c.own_ltv_minor, c.own_ltv_other,
  c.own_first_seen.epochSeconds * 1000000 + c.own_first_seen.microsecond,
  c.own_last_seen.epochSeconds * 1000000 + c.own_last_seen.microsecond,
  c.event_count, c.total_orders, c.ltv_minor, c.ltv_other,
  c.first_seen.epochSeconds * 1000000 + c.first_seen.microsecond,
  c.last_seen.epochSeconds * 1000000 + c.last_seen.microsecond,
  c.identifier_types, c.strength, c.persona_count, c.merge_count, c.version,
  c.identifier_count, c.is_tied, c.links_version, c.own_channels, c.own_sales, c.has_neighbours]) AS rows
