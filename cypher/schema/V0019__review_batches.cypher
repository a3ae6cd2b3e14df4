// Bulk decisions about reviews: what was asked for, how far it is, what became of each review.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT review_batch_id IF NOT EXISTS FOR (n:ReviewBatch) REQUIRE n.id IS UNIQUE;
CREATE INDEX review_batch_state IF NOT EXISTS FOR (n:ReviewBatch) ON (n.state, n.lease_until);
