// Replace what a brand set about suggestions.
// params: brand, settings {min_match_weight, auto_merge_weight, max_proposals, every_hours}
// returns: id
// mode: write
MATCH (b:Brand {id: $brand})
SET b.suggest_min_weight = $settings.min_match_weight, b.suggest_auto_merge_weight = $settings.auto_merge_weight,
  b.suggest_max_proposals = $settings.max_proposals, b.suggest_every_hours = $settings.every_hours
RETURN b.id AS id
