// Versions of the identity rules of each brand.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT rule_set_id IF NOT EXISTS FOR (n:RuleSet) REQUIRE n.id IS UNIQUE;
CREATE INDEX rule_set_brand IF NOT EXISTS FOR (n:RuleSet) ON (n.brand, n.created_at);
