// Uniqueness constraints (they guard existence; ownership is guarded by sorted locks) and the indexes of the read paths.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT event_id IF NOT EXISTS FOR (n:Event) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT identifier_key IF NOT EXISTS FOR (n:Identifier) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT customer_id IF NOT EXISTS FOR (n:Customer) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT order_key IF NOT EXISTS FOR (n:Order) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT merge_id IF NOT EXISTS FOR (n:Merge) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT review_id IF NOT EXISTS FOR (n:Review) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT mark_id IF NOT EXISTS FOR (n:Mark) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT feature_set_id IF NOT EXISTS FOR (n:FeatureSet) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT brand_id IF NOT EXISTS FOR (n:Brand) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT api_key_id IF NOT EXISTS FOR (n:ApiKey) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT endpoint_id IF NOT EXISTS FOR (n:Endpoint) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT idempotency_key IF NOT EXISTS FOR (n:IdempotencyKey) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT merged_into_link IF NOT EXISTS FOR ()-[r:MERGED_INTO]-() REQUIRE r.link IS UNIQUE;
CREATE CONSTRAINT not_same_pair IF NOT EXISTS FOR ()-[r:NOT_SAME]-() REQUIRE r.pair IS UNIQUE;
CREATE INDEX customer_root IF NOT EXISTS FOR (n:Customer) ON (n.root_id);
CREATE INDEX customer_created IF NOT EXISTS FOR (n:Customer) ON (n.brand, n.created_at, n.id);
CREATE INDEX event_timeline IF NOT EXISTS FOR (n:Event) ON (n.persona_id, n.occurred_at, n.id);
CREATE INDEX review_status IF NOT EXISTS FOR (n:Review) ON (n.brand, n.status, n.created_at);
CREATE INDEX mark_age IF NOT EXISTS FOR (n:Mark) ON (n.kind, n.created_at);
CREATE INDEX endpoint_account IF NOT EXISTS FOR (n:Endpoint) ON (n.source, n.account);
CREATE INDEX api_key_brand IF NOT EXISTS FOR (n:ApiKey) ON (n.brand);
