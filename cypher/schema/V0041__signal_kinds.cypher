// Signals are looked up by kind: the first and the newest of each.
// params: none
// returns: nothing
// mode: write
CREATE INDEX event_signal_kinds IF NOT EXISTS FOR (n:Event) ON (n.persona_id, n.signal, n.signal_at);
DROP INDEX event_signals IF EXISTS;
