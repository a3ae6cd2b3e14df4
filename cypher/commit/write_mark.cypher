// The outbox mark of one batch: what changed, for the relay.
// params: brand, id, kind, profile_ids, versions, event_ids, now
// returns: nothing
// mode: write
CREATE (:Mark {
  id: $id, brand: $brand, kind: $kind, profile_ids: $profile_ids, versions: $versions, event_ids: $event_ids,
  created_at: datetime({epochSeconds: $now / 1000000, nanosecond: ($now % 1000000) * 1000})
})
