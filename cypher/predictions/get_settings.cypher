// What a brand says of its products: those, and categories, that are bought once for ever.
// params: brand
// returns: products, categories
// mode: read
MATCH (b:Brand {id: $brand})
RETURN coalesce(b.once_products, []) AS products, coalesce(b.once_categories, []) AS categories
