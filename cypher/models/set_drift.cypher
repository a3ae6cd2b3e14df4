// Keep the latest report on a version's drift.
// params: brand, id, drift (JSON text), has_alert
// returns: id
// mode: write
MATCH (m:ModelVersion {id: $id})
WHERE m.brand = $brand
SET m.drift = $drift, m.has_alert = $has_alert
RETURN m.id AS id
