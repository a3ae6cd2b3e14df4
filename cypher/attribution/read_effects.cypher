// The removal effects of a brand's channels.
// params: brand
// returns: effects (JSON), paths, conversions, computed_at
// mode: read
MATCH (a:AttributionModel {id: $brand})
RETURN a.effects AS effects, a.paths AS paths, a.conversions AS conversions, a.computed_at AS computed_at
