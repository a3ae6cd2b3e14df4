// Keep the removal effects of a brand's channels, as computed from so many paths.
// params: brand, effects (JSON), paths, conversions, now (microseconds)
// returns: nothing
// mode: write
MERGE (a:AttributionModel {id: $brand})
SET a.brand = $brand, a.effects = $effects, a.paths = $paths, a.conversions = $conversions,
  a.computed_at = datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
