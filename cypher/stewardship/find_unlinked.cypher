// Whether this very command ended a link.
// params: brand, root, key, command_id
// returns: persona_id
// mode: read
MATCH (i:Identifier {key: $key})<-[h:HAS_IDENTIFIER]-(c:Customer {root_id: $root})
WHERE i.brand = $brand AND h.unlink_id = $command_id
RETURN c.id AS persona_id
