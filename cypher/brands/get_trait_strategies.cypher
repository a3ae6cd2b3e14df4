// How a brand chooses the one value of each trait.
// params: brand
// returns: strategies (JSON or null)
// mode: read
MATCH (b:Brand {id: $brand})
RETURN b.trait_strategies AS strategies
