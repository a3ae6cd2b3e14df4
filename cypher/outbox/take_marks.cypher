// Take marks by their ids; those that are done meanwhile are left out.
// params: ids, now
// returns: id, brand, profile_ids, in the order of the ids
// mode: write
UNWIND $ids AS id
MATCH (m:Mark {id: id})
SET m.tries = CASE WHEN m.taken_at IS NULL THEN 1 ELSE coalesce(m.tries, 1) + 1 END, m.taken_at = $now
// One that was taken away while this waited for its lock reads as nulls.
WITH m WHERE m.id IS NOT NULL
RETURN m.id AS id, m.brand AS brand, m.profile_ids AS profile_ids
