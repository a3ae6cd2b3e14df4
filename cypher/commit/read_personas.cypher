// Personas below live profiles that are locked: whoever changes a persona holds its root.
// params: brand, ids
// returns: one row, a list of id, root_id, own statistics, aggregate statistics, … as lock_customers
// mode: read
UNWIND $ids AS id
MATCH (c:Customer {id: id})
WHERE c.brand = $brand
RETURN collect([c.id, c.root_id,
  c.own_event_count, c.own_orders, c.own_ltv_minor, c.own_ltv_other,
  c.own_first_seen.epochSeconds * 1000000 + c.own_first_seen.microsecond,
  c.own_last_seen.epochSeconds * 1000000 + c.own_last_seen.microsecond,
  c.event_count, c.total_orders, c.ltv_minor, c.ltv_other,
  c.first_seen.epochSeconds * 1000000 + c.first_seen.microsecond,
  c.last_seen.epochSeconds * 1000000 + c.last_seen.microsecond,
  c.identifier_types, c.strength, c.persona_count, c.merge_count, c.version,
  c.identifier_count, c.is_tied, c.links_version, c.own_channels, c.own_sales, c.has_neighbours]) AS rows
