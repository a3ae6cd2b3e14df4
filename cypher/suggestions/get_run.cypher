// One run of the suggestions.
// params: brand, id
// returns: run (properties)
// mode: read
MATCH (r:SuggestionRun {id: $id})
WHERE r.brand = $brand
RETURN properties(r) AS run
