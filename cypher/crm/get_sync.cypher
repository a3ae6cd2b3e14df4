// One sync of a brand.
// params: brand, id
// returns: sync
// mode: read
MATCH (s:CrmSync {id: $id}) WHERE s.brand = $brand
RETURN properties(s) AS sync
