// A cluster as nodes and links: personas, identifiers, merges, refusals, open reviews and other holders, each bounded.
// params: brand, id, limit
// returns: root_id, personas, links, pointers, refusals, reviews, others
// mode: read
MATCH (asked:Customer {id: $id})
WHERE asked.brand = $brand
CALL (asked) {
  MATCH (p:Customer {root_id: asked.root_id})
  WITH p ORDER BY p.created_at, p.id LIMIT $limit
  RETURN collect(p) AS nodes
}
CALL (nodes) {
  UNWIND nodes AS p
  MATCH (p)-[h:HAS_IDENTIFIER]->(i:Identifier)
  WITH p, properties(h) AS h, i
  // One that is drawn anew before its properties are read has none.
  WHERE h.since IS NOT NULL
  WITH p, h, i ORDER BY i.tier, i.key, p.id LIMIT $limit
  RETURN collect({persona_id: p.id, key: i.key, type: i.type, value: i.value, flags: i.flags, since: h.since,
    until: h.until, trust: h.trust, source: h.source, event_id: h.event_id}) AS links, collect(DISTINCT i) AS identifiers
}
CALL (nodes) {
  UNWIND nodes AS p
  MATCH (p)-[m:MERGED_INTO]->(target:Customer)
  WITH p, target, properties(m) AS m
  // A merge that is taken back meanwhile.
  WHERE m.at IS NOT NULL
  OPTIONAL MATCH (record:Merge {id: m.merge_id})
  RETURN collect({from_id: p.id, to_id: target.id, merge_id: m.merge_id, at: m.at, weak: m.weak, reason: record.reason})
    AS pointers
}
CALL (nodes) {
  UNWIND nodes AS p
  MATCH (p)-[n:NOT_SAME]-(other:Customer)
  WITH DISTINCT n LIMIT $limit
  RETURN collect({pair: n.pair, from_id: startNode(n).id, to_id: endNode(n).id, from_root: startNode(n).root_id,
    to_root: endNode(n).root_id, at: n.at, ended_at: n.ended_at, reason: n.reason}) AS refusals
}
CALL (nodes) {
  UNWIND nodes AS p
  MATCH (p)<-[:PROPOSES]-(v:Review {status: 'pending'})
  WITH v, collect(p.id) AS persona_ids LIMIT $limit
  RETURN collect({id: v.id, reason: v.reason, created_at: v.created_at, persona_ids: persona_ids}) AS reviews
}
CALL (asked, identifiers) {
  UNWIND identifiers AS i
  CALL (asked, i) {
    MATCH (i)<-[link:HAS_IDENTIFIER]-(other:Customer)
    WITH asked, other, properties(link) AS h
    WHERE other.root_id <> asked.root_id AND h.until IS NULL AND h.since IS NOT NULL
    RETURN h, other LIMIT 10
  }
  WITH i, h, other LIMIT $limit
  RETURN collect({persona_id: other.id, root_id: other.root_id, key: i.key, since: h.since, trust: h.trust,
    source: h.source, event_id: h.event_id}) AS others
}
RETURN asked.root_id AS root_id, links, pointers, refusals, reviews, others,
  [p IN nodes | {id: p.id, traits: COLLECT { MATCH (p)-[:HAS_TRAIT]->(t:Trait)
    RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
      t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count] }, strength: p.strength, created_at: p.created_at}] AS personas
