// One page of the records of a CRM that syncs know as persons, by their key, with what their live profile says now.
// params: brand, after (a key), before (a key), traits (names), limit
// returns: key, value (connection:id), pushed (JSON or null), profile (properties or null), traits [[name, value (JSON), source, first
//   (microseconds), last, count]…]
// mode: read
MATCH (i:Identifier)
WHERE i.key > $after AND i.key < $before AND i.brand = $brand
WITH i ORDER BY i.key LIMIT $limit
OPTIONAL MATCH (i)<-[h:HAS_IDENTIFIER]-(p:Customer)
WHERE h.until IS NULL AND i.shared_since IS NULL
OPTIONAL MATCH (root:Customer {id: p.root_id})
RETURN i.key AS key, i.value AS value, i.pushed AS pushed, properties(root) AS profile, COLLECT {
  MATCH (q:Customer {root_id: root.id})-[:HAS_TRAIT]->(t:Trait)
  WHERE t.name IN $traits
  RETURN [t.name, t.value, t.source, t.first_at.epochSeconds * 1000000 + t.first_at.microsecond,
    t.last_at.epochSeconds * 1000000 + t.last_at.microsecond, t.count]
} AS traits
ORDER BY key
