// Endpoints that registered a shop domain or account: candidates whose secrets the signature is then checked with.
// params: source, account
// returns: id, brand, source, secret, account, old_secret, old_until, until
// mode: read
MATCH (e:Endpoint {source: $source, account: $account})
RETURN e.id AS id, e.brand AS brand, e.source AS source, e.secret AS secret, e.account AS account,
  e.old_secret AS old_secret, e.old_until AS old_until, e.until AS until
ORDER BY e.created_at, e.id
LIMIT 20
