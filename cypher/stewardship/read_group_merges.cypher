// The live merges that hold a profile together, with the pointers they wrote.
// params: brand, root
// returns: merge_id, at (microseconds), place, cause_persona_ids, event_id, pointers [[absorbed, survivor]…], whether
//   only weak evidence holds all of them
// mode: read
MATCH (c:Customer {root_id: $root})
WHERE c.brand = $brand
MATCH (c)-[p:MERGED_INTO]->(s:Customer)
WITH p.merge_id AS merge_id, collect([c.id, s.id]) AS pointers, min(CASE WHEN p.weak THEN 1 ELSE 0 END) = 1 AS is_weak
MATCH (m:Merge {id: merge_id})
RETURN m.id, m.at.epochSeconds * 1000000 + m.at.microsecond, coalesce(m.place, 0), m.cause_persona_ids, m.event_id, pointers,
  is_weak
