// Lock a follow-up of moved events and read where it begins; nothing when it is done.
// params: brand, id
// returns: keys, roots (live profiles of the personas concerned)
// mode: write
MATCH (r:Recompute {id: $id})
WHERE r.brand = $brand
SET r.brand = r.brand
// One that was done while this waited for its lock reads as nulls.
WITH r WHERE r.keys IS NOT NULL
RETURN r.keys, COLLECT { UNWIND r.persona_ids AS id MATCH (c:Customer {id: id}) RETURN DISTINCT c.root_id } AS roots
