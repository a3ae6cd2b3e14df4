// The key of the record of migrations, needed before the first of them.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT migration_version IF NOT EXISTS FOR (n:Migration) REQUIRE n.version IS UNIQUE
