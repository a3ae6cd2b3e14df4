// A person takes an identifier from a live profile: the link ends and stays as history.
// params: brand, root, key, command_id, by, reason, now (microseconds)
// returns: persona_id
// mode: write
MATCH (i:Identifier {key: $key})<-[h:HAS_IDENTIFIER]-(c:Customer {root_id: $root})
WHERE i.brand = $brand AND h.until IS NULL
SET h.until = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000}),
  h.unlinked_by = $by, h.unlink_reason = $reason, h.unlink_id = $command_id,
  c.links_version = coalesce(c.links_version, 0) + 1
RETURN c.id AS persona_id
