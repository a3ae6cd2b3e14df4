// The two sides of a question: which live profiles hold these identifiers now, which these profile or persona ids answer with.
// params: brand, id (of the address: its profile comes first among the holders), keys, ids, limit
// returns: root_id (of the address, null when unknown),
//   identifiers [{key, tier, flags, shared_since, holders [[persona id, root id]…]}…], personas [[id, root id]…]
// mode: read
CALL () {
  OPTIONAL MATCH (c:Customer {id: $id})
  WHERE c.brand = $brand
  RETURN c.root_id AS root_id
}
CALL (root_id) {
  UNWIND $keys AS key
  MATCH (i:Identifier {key: key})
  WHERE i.brand = $brand
  CALL (i, root_id) {
    MATCH (i)<-[h:HAS_IDENTIFIER]-(p:Customer)
    WHERE h.until IS NULL
    MATCH (root:Customer {id: p.root_id})
    WITH p, root ORDER BY root.id = root_id DESC, root.strength DESC, root.first_seen, root.id, p.id LIMIT $limit
    RETURN collect([p.id, p.root_id]) AS holders
  }
  RETURN collect({key: i.key, tier: i.tier, flags: i.flags, shared_since: i.shared_since, holders: holders}) AS identifiers
}
CALL () {
  UNWIND $ids AS id
  MATCH (c:Customer {id: id})
  WHERE c.brand = $brand
  RETURN collect([c.id, c.root_id]) AS personas
}
RETURN root_id, identifiers, personas
