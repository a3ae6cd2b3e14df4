// After how many hours a waiting review of a brand is overdue.
// params: brand, overdue_hours
// returns: id
// mode: write
MATCH (b:Brand {id: $brand})
SET b.review_overdue_hours = $overdue_hours
RETURN b.id AS id
