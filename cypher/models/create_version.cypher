// Keep a trained version; written once, a repeat changes nothing.
// params: brand, id, properties
// returns: id
// mode: write
MERGE (m:ModelVersion {id: $id})
ON CREATE SET m.brand = $brand, m += $properties
RETURN m.id AS id
