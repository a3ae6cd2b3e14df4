// Personas tied to anything of another brand.
// params: brand, limit
// returns: id, found
// mode: read
MATCH (c:Customer)-[]-(other:Customer|Event|Identifier|Order|Merge|Review|Trait)
WHERE c.brand = $brand AND c.created_at IS NOT NULL AND c.id IS NOT NULL
  AND coalesce(other.brand, '') <> $brand
RETURN c.id AS id, collect(DISTINCT labels(other)[0]) AS found
LIMIT $limit
