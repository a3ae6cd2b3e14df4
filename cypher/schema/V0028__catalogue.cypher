// Products, what of them is stocked where, and privacy requests: each once by its key, lists found by brand.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT product_key IF NOT EXISTS FOR (n:Product) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT stock_item_key IF NOT EXISTS FOR (n:StockItem) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT stock_level_key IF NOT EXISTS FOR (n:StockLevel) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT privacy_request_id IF NOT EXISTS FOR (n:PrivacyRequest) REQUIRE n.id IS UNIQUE;
CREATE INDEX product_brand IF NOT EXISTS FOR (n:Product) ON (n.brand, n.key);
CREATE INDEX privacy_request_due IF NOT EXISTS FOR (n:PrivacyRequest) ON (n.brand, n.due_at, n.id);
