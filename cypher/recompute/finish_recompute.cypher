// The follow-up of moved events is done: its personas say so no more.
// params: brand, id
// returns: nothing
// mode: write
MATCH (r:Recompute {id: $id})
WHERE r.brand = $brand
CALL (r) {
  UNWIND r.persona_ids AS id
  MATCH (c:Customer {id: id})
  WITH r, c, [one IN coalesce(c.recomputing, []) WHERE one <> r.id] AS left
  SET c.recomputing = CASE WHEN size(left) = 0 THEN null ELSE left END
}
DELETE r
