// One counts the products of a brand at a time: what the next statement reads, nobody else takes.
// params: brand
// returns: id
// mode: write
MATCH (b:Brand {id: $brand})
SET b.name = b.name
RETURN b.id AS id
