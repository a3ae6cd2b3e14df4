// What products are called where no catalogue tells of them: by their ids.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT product_name_key IF NOT EXISTS FOR (n:ProductName) REQUIRE n.key IS UNIQUE;
