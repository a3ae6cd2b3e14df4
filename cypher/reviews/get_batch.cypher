// A bulk decision, how far it is, and one page of what became of its reviews.
// params: brand, id, start, end (places of the page)
// returns: id, decision, reason, by, state, left_out, created_at, finished_at, total, done, outcomes (all, by name only),
//   results (JSON texts of the page)
// mode: read
MATCH (b:ReviewBatch {id: $id})
WHERE b.brand = $brand
WITH properties(b) AS b
// One that is removed before its properties are read has none.
WHERE b.results IS NOT NULL
RETURN b.id AS id, b.decision AS decision, b.reason AS reason, b.by AS by, b.state AS state, b.left_out AS left_out,
  b.created_at AS created_at, b.finished_at AS finished_at, size(b.review_ids) AS total, size(b.results) AS done,
  [text IN b.results | split(text, '"')[3]] AS outcomes, b.results[$start..$end] AS results
