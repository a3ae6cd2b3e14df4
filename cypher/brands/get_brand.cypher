// A brand's settings and the first account of each of its sources.
// params: brand
// returns: id, name, region, currency, status, merge_threshold, blocked_values, review_overdue_hours, accounts [{source, account}],
//   mappings [{source, mapping (JSON)}],
//   rules (JSON of the active rule set or null), rule_version, schemas [{type, version, mode, text}], steps (JSON or null), hash_key
// mode: read
MATCH (b:Brand {id: $brand})
OPTIONAL MATCH (r:RuleSet {id: $brand + '|' + b.rule_version})
OPTIONAL MATCH (t:TransformationSet {id: $brand + '|' + b.transformation_version})
RETURN b.id AS id, b.name AS name, b.region AS region, b.currency AS currency, b.status AS status,
  b.merge_threshold AS merge_threshold, b.blocked_values AS blocked_values,
  b.review_overdue_hours AS review_overdue_hours,
  [(e:Endpoint)-[:OF_BRAND]->(b) WHERE e.account IS NOT NULL | {source: e.source, account: e.account}] AS accounts,
  [(e:Endpoint)-[:OF_BRAND]->(b) WHERE e.mapping IS NOT NULL | {source: e.source, mapping: e.mapping}] AS mappings,
  r.rules AS rules, r.version AS rule_version, t.steps AS steps, b.hash_key AS hash_key,
  COLLECT {
    MATCH (s:EventSchema) WHERE s.brand = $brand AND s.is_active = true
    RETURN {type: s.type, version: s.version, mode: s.mode, text: s.schema}
  } AS schemas
