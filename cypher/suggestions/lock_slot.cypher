// Lock the one place in which suggestions are computed; it is read after the lock.
// params: none
// returns: nothing
// mode: write
MERGE (s:SuggestionSlot {id: 'slot'})
SET s.id = s.id
