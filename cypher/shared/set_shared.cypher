// From when on a strong identifier is shared, or that it is not; whoever read its holders before their locks reads again.
// params: brand, key, since (microseconds or null)
// returns: nothing
// mode: write
MATCH (i:Identifier {key: $key})
WHERE i.brand = $brand
SET i.shared_since = CASE WHEN $since IS NULL THEN null
    ELSE datetime({epochSeconds: $since / 1000000, nanosecond: ($since % 1000000) * 1000}) END,
  i.flags = [flag IN coalesce(i.flags, []) WHERE flag <> 'shared'] + CASE WHEN $since IS NULL THEN [] ELSE ['shared'] END
WITH i
MATCH (i)<-[h:HAS_IDENTIFIER]-(c:Customer)
WHERE h.until IS NULL
SET c.links_version = coalesce(c.links_version, 0) + 1
