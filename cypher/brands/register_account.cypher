// Remember the first shop domain, account or store that a source of the brand speaks for; later ones change nothing.
// params: brand, source, account, at
// returns: id, account (the one that holds); no row when the brand has no endpoint for the source
// mode: write
MATCH (b:Brand {id: $brand})<-[:OF_BRAND]-(e:Endpoint {source: $source})
// The first SET takes the lock, so that of two first deliveries the second one reads what the first wrote.
SET e.seen_at = $at
WITH e
SET e.account = coalesce(e.account, $account)
RETURN e.id AS id, e.account AS account
