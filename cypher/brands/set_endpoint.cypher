// Set the account or the field mapping of a source; null takes it away.
// params: brand, source, name ('account' or 'mapping'), value
// returns: id
// mode: write
MATCH (b:Brand {id: $brand})<-[:OF_BRAND]-(e:Endpoint {source: $source})
FOREACH (_ IN CASE WHEN $name = 'account' THEN [1] ELSE [] END | SET e.account = $value)
FOREACH (_ IN CASE WHEN $name = 'mapping' THEN [1] ELSE [] END | SET e.mapping = $value)
RETURN e.id AS id
