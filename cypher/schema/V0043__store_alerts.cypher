// Alerts for staff: each once by visit, kind and product; listed by brand and by store in order of time.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT store_alert_id IF NOT EXISTS FOR (n:StoreAlert) REQUIRE n.id IS UNIQUE;
CREATE INDEX store_alert_brand IF NOT EXISTS FOR (n:StoreAlert) ON (n.brand, n.at, n.id);
CREATE INDEX store_alert_store IF NOT EXISTS FOR (n:StoreAlert) ON (n.store, n.at, n.id);
CREATE INDEX store_alert_visit IF NOT EXISTS FOR (n:StoreAlert) ON (n.visit_id);
CREATE INDEX customer_value IF NOT EXISTS FOR (n:Customer) ON (n.brand, n.ltv_minor);
