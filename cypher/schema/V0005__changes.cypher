// The change feed: entries with a running number for each brand, the counters that give it, and who is told of them.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT change_id IF NOT EXISTS FOR (n:Change) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT change_seq IF NOT EXISTS FOR (n:Change) REQUIRE (n.brand, n.seq) IS UNIQUE;
CREATE CONSTRAINT change_feed_brand IF NOT EXISTS FOR (n:ChangeFeed) REQUIRE n.brand IS UNIQUE;
CREATE CONSTRAINT change_hook_id IF NOT EXISTS FOR (n:ChangeHook) REQUIRE n.id IS UNIQUE;
CREATE INDEX change_hook_brand IF NOT EXISTS FOR (n:ChangeHook) ON (n.brand, n.created_at);
CREATE INDEX change_hook_due IF NOT EXISTS FOR (n:ChangeHook) ON (n.is_active, n.next_at);
CREATE INDEX mark_brand IF NOT EXISTS FOR (n:Mark) ON (n.kind, n.brand, n.created_at);
