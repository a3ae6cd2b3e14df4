// What a profile's events until a moment say about being in stores and about consent: the newest of each persona
// (without those in `left`, with those in `came`).
// params: brand, at, personas, came, left (event ids), visits, consents (how many of each persona), payload_bytes
// returns: visits [{id, type, at, visit}…], consents [[id, type, at (microseconds), channel, source, payload]…]
// mode: read
CALL () {
  CALL () {
    UNWIND $personas AS id
    CALL (id) {
      MATCH (e:Event)
      WHERE e.persona_id = id AND e.visit_at <= $at AND e.id IS NOT NULL AND NOT e.id IN $left
      RETURN e ORDER BY e.persona_id DESC, e.visit_at DESC, e.id DESC LIMIT $visits
    }
    RETURN e
    UNION ALL
    UNWIND $came AS id
    MATCH (e:Event {id: id})
    WHERE e.visit_at <= $at
    RETURN e
  }
  WITH e
  WHERE e.brand = $brand
  RETURN collect({id: e.id, type: e.type, at: e.visit_at, visit: e.visit}) AS visits
}
CALL () {
  CALL () {
    UNWIND $personas AS id
    CALL (id) {
      MATCH (e:Event)
      WHERE e.persona_id = id AND e.signal = 'consent' AND e.signal_at <= $at AND NOT e.id IN $left
      RETURN e ORDER BY e.persona_id DESC, e.signal DESC, e.signal_at DESC LIMIT $consents
    }
    RETURN e
    UNION ALL
    UNWIND $came AS id
    MATCH (e:Event {id: id})
    WHERE e.signal = 'consent' AND e.signal_at <= $at
    RETURN e
  }
  WITH e
  WHERE e.brand = $brand
  RETURN collect([e.id, e.type, e.signal_at.epochSeconds * 1000000 + e.signal_at.microsecond, e.channel, e.source,
    CASE WHEN size(e.payload) <= $payload_bytes THEN e.payload END]) AS consents
}
RETURN visits, consents
