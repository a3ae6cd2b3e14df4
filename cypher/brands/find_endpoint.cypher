// The webhook endpoint behind an unguessable address: this look-up is what finds the brand, so it cannot be bound to one.
// params: id, source
// returns: id, brand, source, secret, account, old_secret, old_until, until; no row when unknown
// mode: read
MATCH (e:Endpoint {id: $id})
WHERE e.source = $source
RETURN e.id AS id, e.brand AS brand, e.source AS source, e.secret AS secret, e.account AS account,
  e.old_secret AS old_secret, e.old_until AS old_until, e.until AS until
