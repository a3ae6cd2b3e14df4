// When a weak identifier was last seen beside something else: of those stored already, at the latest when they were last seen.
// params: none
// returns: nothing
// mode: write
MATCH (i:Identifier)
WHERE i.tier IN [3, 4] AND i.last_sighting IS NULL AND i.last_seen IS NOT NULL
CALL (i) {
  SET i.last_sighting = i.last_seen
} IN TRANSACTIONS OF 10000 ROWS;
