// Which of some events are stored, and when they came.
// params: brand, ids
// returns: id, received_at
// mode: read
UNWIND $ids AS id
MATCH (e:Event {id: id}) WHERE e.brand = $brand
RETURN e.id AS id, e.received_at AS received_at
