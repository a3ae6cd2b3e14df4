// Take all values away from these profiles: from all when a brand defines nothing more, else from those that live no more.
// Values of a newer set than the caller knew stay.
// params: brand, ids, set_version, even_live
// returns: removed
// mode: write
UNWIND $ids AS id
MATCH (n:ComputedTraits {id: id})
WHERE n.brand = $brand AND n.set_version <= $set_version
  AND ($even_live OR NOT EXISTS { MATCH (c:Customer {id: id}) WHERE c.root_id = c.id })
DETACH DELETE n
RETURN count(*) AS removed
