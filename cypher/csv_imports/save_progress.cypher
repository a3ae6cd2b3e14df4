// How far an import has come, written by who holds it; nothing when somebody else does.
// params: brand, id, owner, values, at, until
// returns: is_cancelled
// mode: write
MATCH (i:CsvImport {id: $id}) WHERE i.brand = $brand AND i.lease_owner = $owner AND i.state = 'running'
SET i += $values, i.updated_at = $at, i.lease_until = $until
RETURN coalesce(i.cancel_requested, false) AS is_cancelled
