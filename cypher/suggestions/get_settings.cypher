// What a brand set about suggestions; null where the default holds.
// params: brand
// returns: min_match_weight, auto_merge_weight, max_proposals, every_hours
// mode: read
MATCH (b:Brand {id: $brand})
RETURN b.suggest_min_weight AS min_match_weight, b.suggest_auto_merge_weight AS auto_merge_weight,
  b.suggest_max_proposals AS max_proposals, b.suggest_every_hours AS every_hours
