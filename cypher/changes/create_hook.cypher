// A webhook that gets a brand's changes; none is made when the brand has as many as it may, or this one exists.
// params: brand, id, most, hook: its properties
// returns: id
// mode: write
MERGE (f:ChangeFeed {brand: $brand})
ON CREATE SET f.seq = 0, f.pruned_seq = 0
SET f.brand = f.brand
WITH f
WHERE COUNT { MATCH (o:ChangeHook) WHERE o.brand = $brand AND o.created_at IS NOT NULL AND o.id <> $id } < $most
MERGE (h:ChangeHook {id: $id})
ON CREATE SET h += $hook, h.brand = $brand
RETURN h.id AS id
