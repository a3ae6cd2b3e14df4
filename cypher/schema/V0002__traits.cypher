// Values that sources gave to the traits of personas.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT trait_key IF NOT EXISTS FOR (n:Trait) REQUIRE n.key IS UNIQUE;
