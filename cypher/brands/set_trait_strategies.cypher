// How a brand chooses the one value of each trait.
// params: brand, strategies (JSON)
// returns: id
// mode: write
MATCH (b:Brand {id: $brand})
SET b.trait_strategies = $strategies
RETURN b.id AS id
