// Indexes for the newest and first signals of a persona and for its orders by time.
// params: none
// returns: nothing
// mode: write
CREATE INDEX event_signals IF NOT EXISTS FOR (n:Event) ON (n.persona_id, n.signal_at);
CREATE INDEX order_placed IF NOT EXISTS FOR (n:Order) ON (n.persona_id, n.placed_at);
CREATE INDEX order_delivered IF NOT EXISTS FOR (n:Order) ON (n.persona_id, n.delivered_at);
