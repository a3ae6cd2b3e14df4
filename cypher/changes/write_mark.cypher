// What a transaction did to identities. The server's clock of this moment orders marks: whoever waited for the locks of
// another transaction writes its own later.
// params: brand, id, kind, rule_version, changes (JSON text)
// returns: nothing
// mode: write
CREATE (:Mark {
  id: $id, brand: $brand, kind: $kind, changes: $changes, rule_version: $rule_version, created_at: datetime.realtime()
})
