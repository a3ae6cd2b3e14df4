// One version of an event type's schema.
// params: brand, type, version
// returns: schema
// mode: read
MATCH (s:EventSchema {id: $brand + '|' + $type + '|' + toString($version)})
RETURN properties(s) AS schema
