// Follow-ups of events that change hands: one node each, found by age.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT recompute_id IF NOT EXISTS FOR (n:Recompute) REQUIRE n.id IS UNIQUE;
CREATE INDEX recompute_age IF NOT EXISTS FOR (n:Recompute) ON (n.created_at);
