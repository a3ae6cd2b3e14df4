// One import of a brand.
// params: brand, id
// returns: import
// mode: read
MATCH (i:CsvImport {id: $id}) WHERE i.brand = $brand
RETURN properties(i) AS import
