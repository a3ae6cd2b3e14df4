// Wait until every index is online.
// params: none
// returns: nothing
// mode: write
CALL db.awaitIndexes(300)
