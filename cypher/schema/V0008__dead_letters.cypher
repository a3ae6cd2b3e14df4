// Messages that could not be taken, kept for inspection; found by brand in order of arrival.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT dead_letter_id IF NOT EXISTS FOR (n:DeadLetter) REQUIRE n.id IS UNIQUE;
CREATE INDEX dead_letter_brand IF NOT EXISTS FOR (n:DeadLetter) ON (n.brand, n.received_at, n.id);
