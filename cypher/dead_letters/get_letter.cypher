// One message that could not be taken.
// params: brand, id
// returns: letter; no row when unknown
// mode: read
MATCH (d:DeadLetter {id: $id})
WHERE d.brand = $brand
RETURN d {.*} AS letter
