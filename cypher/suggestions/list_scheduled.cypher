// Brands whose last run of the suggestions began longer ago than they want.
// params: now
// returns: brand
// mode: read
MATCH (b:Brand)
WHERE b.id IS NOT NULL AND b.suggest_every_hours IS NOT NULL AND b.status = 'active'
  AND NOT EXISTS {
    MATCH (r:SuggestionRun {brand: b.id})
    WHERE r.created_at > $now - duration({hours: b.suggest_every_hours})
  }
RETURN b.id AS brand
ORDER BY brand
