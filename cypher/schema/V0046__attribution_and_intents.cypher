// One attribution model a brand, one stored intent a profile and product, and the index that lists intents.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT attribution_model_id IF NOT EXISTS FOR (n:AttributionModel) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT intent_key IF NOT EXISTS FOR (n:Intent) REQUIRE n.key IS UNIQUE;
CREATE INDEX intent_newest IF NOT EXISTS FOR (n:Intent) ON (n.brand, n.last_at);
CREATE INDEX intent_product IF NOT EXISTS FOR (n:Intent) ON (n.brand, n.product_id, n.last_at);
CREATE INDEX intent_profile IF NOT EXISTS FOR (n:Intent) ON (n.profile_id);
