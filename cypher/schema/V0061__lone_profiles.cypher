// Of live profiles that are stored already nobody has looked whether weak identifiers lead to others: until somebody does,
// they count as having neighbours, and what follows for them is read from the evidence.
// params: none
// returns: nothing
// mode: write
MATCH (c:Customer)
WHERE c.created_at IS NOT NULL AND c.root_id = c.id AND c.has_neighbours IS NULL
CALL (c) {
  SET c.has_neighbours = true
} IN TRANSACTIONS OF 10000 ROWS;
