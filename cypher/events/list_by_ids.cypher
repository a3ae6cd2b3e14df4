// Some events by their ids; unknown ones and those of other brands are left out.
// params: brand, ids
// returns: id, type, channel, occurred_at, payload
// mode: read
UNWIND $ids AS id
MATCH (e:Event {id: id})
WHERE e.brand = $brand
RETURN e.id AS id, e.type AS type, e.channel AS channel, e.occurred_at AS occurred_at, e.payload AS payload
