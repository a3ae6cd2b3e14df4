// What is true of the whole installation: one node says which key seals its secrets.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT installation_id IF NOT EXISTS FOR (n:Installation) REQUIRE n.id IS UNIQUE;
