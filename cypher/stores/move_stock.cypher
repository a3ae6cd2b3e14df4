// Set the level of a thing at a location and note the movement that did it.
// params: brand, level_key, available, movement (map with id), now
// returns: nothing
// mode: write
MATCH (l:StockLevel {key: $level_key})
WHERE l.brand = $brand
SET l.available = $available, l.updated_at = $now, l.deleted_at = null
CREATE (m:StockMovement {id: $movement.id})
SET m += $movement, m.brand = $brand, m.at = $now
