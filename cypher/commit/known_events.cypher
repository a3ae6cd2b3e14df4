// Which of these events are stored already, with the answer they got; the profile is the live one of now.
// params: brand, ids
// returns: one row, a list of id, decision, profile_id, merged_ids, merge_id, review_id, warnings, fingerprint
// mode: read
UNWIND $ids AS id
MATCH (e:Event {id: id})
WHERE e.brand = $brand
OPTIONAL MATCH (p:Customer {id: e.persona_id})
RETURN collect([e.id, e.decision, p.root_id, e.merged_ids, e.merge_id, e.review_id, e.warnings, e.fingerprint]) AS rows
