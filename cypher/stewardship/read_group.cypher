// All personas of a live profile (locked) with their own statistics and identifier types.
// params: brand, root
// returns: id, own statistics (events, orders, money, other money, first, last seen in microseconds), identifier types,
//   whether one is contested or shared, merges that it survived, whether an open review proposes it
// mode: read
MATCH (c:Customer {root_id: $root})
WHERE c.brand = $brand
RETURN c.id, c.own_event_count, c.own_orders, c.own_ltv_minor, c.own_ltv_other,
  c.own_first_seen.epochSeconds * 1000000 + c.own_first_seen.microsecond,
  c.own_last_seen.epochSeconds * 1000000 + c.own_last_seen.microsecond,
  [(c)-[h:HAS_IDENTIFIER]->(i:Identifier) WHERE h.until IS NULL | i.type],
  EXISTS { (c)-[:HAS_IDENTIFIER]->(i:Identifier) WHERE i.flags IS NOT NULL AND i.tier IN [3, 4] AND size(i.flags) > 0 },
  COUNT { (c)<-[:JOINED {role: 'survivor'}]-(m:Merge) WHERE m.reverted_at IS NULL },
  EXISTS { (c)<-[:PROPOSES]-(v:Review) WHERE v.status = 'pending' }
