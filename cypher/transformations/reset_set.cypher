// Events are taken as they come.
// params: brand
// returns: id
// mode: write
MATCH (b:Brand {id: $brand})
SET b.transformation_version = null
RETURN b.id AS id
