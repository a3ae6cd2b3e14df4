// Every brand of this installation, for its operator.
// params: none
// returns: id, name, region, currency, status, created_at
// mode: read
MATCH (b:Brand)
RETURN b.id AS id, b.name AS name, b.region AS region, b.currency AS currency, b.status AS status, b.created_at AS created_at
ORDER BY b.id
