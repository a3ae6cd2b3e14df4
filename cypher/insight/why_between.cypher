// Events that carry identifiers of both sides, newest first, whoever performed them; over the bound of an identifier's events
// the rest is not looked at.
// params: brand, sides: a map of left and right (identifier keys), per_identifier, limit
// returns: events [{id, at, source, decision, rules, warnings, rule_version, keys}…], is_cut
// mode: read
CALL () {
  UNWIND $sides.left AS key
  MATCH (i:Identifier {key: key})
  WHERE i.brand = $brand
  CALL (i) {
    MATCH (i)<-[:CARRIES]-(e:Event)
    WITH e LIMIT $per_identifier
    MATCH (e)-[:CARRIES]->(j:Identifier)
    WHERE j.key IN $sides.right
    RETURN e
  }
  WITH DISTINCT e ORDER BY e.occurred_at DESC, e.id LIMIT $limit
  RETURN collect({id: e.id, at: e.occurred_at, source: e.source, decision: e.decision, rules: e.rules,
    warnings: e.warnings, rule_version: e.rule_version, keys: [(e)-[:CARRIES]->(x:Identifier) | x.key]}) AS events
}
CALL () {
  UNWIND $sides.left AS key
  MATCH (i:Identifier {key: key})
  WHERE i.brand = $brand
  RETURN coalesce(max(COUNT { (i)<-[:CARRIES]-() }), 0) > $per_identifier AS is_cut
}
RETURN events, is_cut
