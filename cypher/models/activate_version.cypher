// Let one version score the brand's profiles, in place of the one before; day one answers when id is null.
// params: brand, id (null: none), now, by, reason, is_rollback
// returns: previous (id of the version that answered until now), id
// mode: write
MATCH (b:Brand {id: $brand})
SET b.id = b.id
WITH b
OPTIONAL MATCH (old:ModelVersion {active: $brand})
SET old.active = null, old.deactivated_at = $now
WITH b, old.id AS previous
OPTIONAL MATCH (m:ModelVersion {id: $id})
WHERE m.brand = $brand
SET m.active = $brand, m.activated_at = $now, m.activated_by = $by, m.activation_reason = $reason,
  m.replaced = CASE WHEN $is_rollback OR previous = m.id THEN m.replaced ELSE previous END
RETURN previous, m.id AS id
