// Who meets in events: the live profile that has each, and those that hold a strong identifier of it that links at its time.
// params: brand, ids (event ids)
// returns: one row, a list of event id, persona id, decision, [root id…]
// mode: read
UNWIND $ids AS id
MATCH (e:Event {id: id})
WHERE e.brand = $brand
OPTIONAL MATCH (p:Customer {id: e.persona_id})
WITH e, p, [(e)-[:CARRIES]->(s:Identifier)<-[h:HAS_IDENTIFIER]-(q:Customer)
  WHERE s.tier <= 2 AND h.until IS NULL AND (s.shared_since IS NULL OR e.occurred_at < s.shared_since) | q.root_id] AS holders
RETURN collect([e.id, p.id, e.decision, holders + CASE WHEN p IS NULL THEN [] ELSE [p.root_id] END]) AS rows
