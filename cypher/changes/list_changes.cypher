// Entries of a brand's feed in the order of their numbers.
// params: brand, after, until (numbers), kinds (null for all)
// returns: seq, is_wanted, id, kind, at, and of wanted ones profile_id, old_ids, new_ids, facts (JSON text)
// mode: read
MATCH (c:Change)
WHERE c.brand = $brand AND c.seq > $after AND c.seq <= $until
WITH c, $kinds IS NULL OR c.kind IN $kinds AS is_wanted ORDER BY c.seq
RETURN c.seq AS seq, is_wanted, c.id AS id, c.kind AS kind, c.at AS at,
  CASE WHEN is_wanted THEN c.profile_id END AS profile_id, CASE WHEN is_wanted THEN c.old_ids END AS old_ids,
  CASE WHEN is_wanted THEN c.new_ids END AS new_ids, CASE WHEN is_wanted THEN c.facts END AS facts
