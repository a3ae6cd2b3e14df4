// Entries of a brand's feed in the order of their numbers.
// params: brand, after, until (numbers), kinds (null for all)
// returns: seq, is_wanted, kind, and of wanted ones id, at, profile_id, old_ids, new_ids, facts (JSON text)
// mode: read
MATCH (c:Change)
WHERE c.brand = $brand AND c.seq > $after AND c.seq <= $until
WITH c.seq AS seq, c.kind AS kind, $kinds IS NULL OR c.kind IN $kinds AS is_wanted, c ORDER BY c.seq
WITH seq, kind, is_wanted, CASE WHEN is_wanted THEN properties(c) ELSE {} END AS entry
// One that retention removes before its properties are read has none, though the index still tells its number.
WHERE kind IS NOT NULL AND (NOT is_wanted OR entry.facts IS NOT NULL)
RETURN seq, is_wanted, entry.id AS id, kind, entry.at AS at, entry.profile_id AS profile_id, entry.old_ids AS old_ids,
  entry.new_ids AS new_ids, entry.facts AS facts ORDER BY seq
