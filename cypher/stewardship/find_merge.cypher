// A merge by its id: tells whether a command that is tried again was carried out already.
// params: brand, id
// returns: id, survivor_id, absorbed_ids, is_reverted, revert_id
// mode: read
MATCH (m:Merge {id: $id})
WHERE m.brand = $brand
RETURN m.id, m.survivor_id, m.absorbed_ids, m.reverted_at IS NOT NULL, m.revert_id
