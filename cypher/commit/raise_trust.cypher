// A better proven sighting raises the trust of links; one that rose meanwhile stays.
// params: brand, rows [[persona id, identifier key, trust, place of the trust (0 is best)]…], order: trusts, best first
// returns: nothing
// mode: write
UNWIND $rows AS r
MATCH (c:Customer {id: r[0]})-[h:HAS_IDENTIFIER]->(:Identifier {key: r[1]})
WHERE c.brand = $brand AND h.until IS NULL AND NOT h.trust IN $order[0..r[3]]
SET h.trust = r[2]
