// Stores, and the signs of presence in them: by person, by store and by brand, in order of time.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT store_key IF NOT EXISTS FOR (n:Store) REQUIRE n.key IS UNIQUE;
CREATE INDEX store_brand IF NOT EXISTS FOR (n:Store) ON (n.brand, n.key);
CREATE INDEX event_visits IF NOT EXISTS FOR (n:Event) ON (n.persona_id, n.visit_at, n.id);
CREATE INDEX event_store_visits IF NOT EXISTS FOR (n:Event) ON (n.visit_store, n.visit_at, n.id);
CREATE INDEX event_brand_visits IF NOT EXISTS FOR (n:Event) ON (n.brand, n.visit_at, n.id);
