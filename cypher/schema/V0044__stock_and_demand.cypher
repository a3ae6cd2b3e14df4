// Products by their own id, movements of stock, and what was seen, put in carts and bought of a product on each day.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT stock_movement_id IF NOT EXISTS FOR (n:StockMovement) REQUIRE n.id IS UNIQUE;
CREATE INDEX stock_movement_newest IF NOT EXISTS FOR (n:StockMovement) ON (n.brand, n.at, n.id);
CREATE INDEX product_id IF NOT EXISTS FOR (n:Product) ON (n.brand, n.product_id);
CREATE CONSTRAINT product_day_key IF NOT EXISTS FOR (n:ProductDay) REQUIRE n.key IS UNIQUE;
CREATE INDEX product_day_heat IF NOT EXISTS FOR (n:ProductDay) ON (n.brand, n.day, n.heat);
