// A review with the live profiles it proposes now.
// params: brand, id
// returns: id, status, reason, identifiers, proposed [[persona id, root id]…], merge_id, survivor_id, command_id, note, superseded_by
// mode: read
MATCH (v:Review {id: $id})
WHERE v.brand = $brand
RETURN v.id, v.status, v.reason, v.identifiers, [(v)-[:PROPOSES]->(c:Customer) | [c.id, c.root_id]], v.merge_id, v.survivor_id, v.command_id, v.note,
  v.superseded_by
