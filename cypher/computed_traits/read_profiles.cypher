// The live profiles that answer for the given ids; unknown ids and those of other brands are left out.
// params: brand, ids
// returns: id, version, currency, personas
// mode: read
UNWIND $ids AS id
MATCH (asked:Customer {id: id})
WHERE asked.brand = $brand
WITH DISTINCT asked.root_id AS root_id
MATCH (root:Customer {id: root_id})
RETURN root.id AS id, coalesce(root.version, 0) AS version, root.currency AS currency, coalesce(root.persona_count, 1) AS personas
