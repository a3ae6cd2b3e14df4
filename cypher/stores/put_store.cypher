// A store as its brand describes it.
// params: brand, key, store_id, props, now
// returns: store
// mode: write
MERGE (s:Store {key: $key})
ON CREATE SET s.brand = $brand, s.store_id = $store_id, s.created_at = $now
SET s += $props, s.updated_at = $now
RETURN s {.*} AS store
