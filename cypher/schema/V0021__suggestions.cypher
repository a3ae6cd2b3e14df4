// Runs of the suggestions: one active at a time for a brand, one computed at a time; proposals by weight.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT suggestion_run_id IF NOT EXISTS FOR (n:SuggestionRun) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT suggestion_run_active IF NOT EXISTS FOR (n:SuggestionRun) REQUIRE n.active IS UNIQUE;
CREATE CONSTRAINT suggestion_slot_id IF NOT EXISTS FOR (n:SuggestionSlot) REQUIRE n.id IS UNIQUE;
CREATE INDEX suggestion_run_age IF NOT EXISTS FOR (n:SuggestionRun) ON (n.brand, n.created_at, n.id);
CREATE INDEX review_weight IF NOT EXISTS FOR (n:Review) ON (n.brand, n.kind, n.match_weight, n.id);
