// Set which products and categories of a brand are bought once for ever.
// params: brand, products, categories
// returns: id
// mode: write
MATCH (b:Brand {id: $brand})
SET b.once_products = $products, b.once_categories = $categories
RETURN b.id AS id
