// The version of an event type's schema that counts from now on, in a mode; without that version nothing happens.
// params: brand, type, version, mode (null keeps its own), by, at
// returns: version
// mode: write
MATCH (s:EventSchema {id: $brand + '|' + $type + '|' + toString($version)})
SET s.is_active = true, s.mode = coalesce($mode, s.mode), s.activated_at = $at, s.activated_by = $by
WITH s
CALL (s) {
  MATCH (o:EventSchema)
  WHERE o.brand = $brand AND o.is_active = true AND o.type = s.type AND o.version <> s.version
  SET o.is_active = false
}
RETURN s.version AS version
