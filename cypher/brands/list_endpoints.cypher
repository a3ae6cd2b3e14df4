// The webhook addresses of a brand, newest first for each source; `until` ends one that was changed over.
// params: brand
// returns: id, source, account, mapping, created_at, rotated_at, old_until, until
// mode: read
MATCH (b:Brand {id: $brand})<-[:OF_BRAND]-(e:Endpoint)
RETURN e.id AS id, e.source AS source, e.account AS account, e.mapping AS mapping, e.created_at AS created_at,
  e.rotated_at AS rotated_at, e.old_until AS old_until, e.until AS until
ORDER BY source, created_at DESC, id
