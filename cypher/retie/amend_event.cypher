// The decision about an event as the weak links around it came out.
// params: brand, id, decision, merge_id, merged_ids, review_id, rules, warnings
// returns: nothing
// mode: write
MATCH (e:Event {id: $id})
WHERE e.brand = $brand
SET e.decision = $decision, e.merge_id = $merge_id, e.merged_ids = $merged_ids, e.review_id = $review_id,
  e.rules = $rules, e.warnings = $warnings
