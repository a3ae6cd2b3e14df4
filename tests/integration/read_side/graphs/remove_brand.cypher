// Takes a small graph away again, node by node by its key.
UNWIND $customers AS id
MATCH (c:Customer {id: id})
OPTIONAL MATCH (c)-[:PERFORMED|PLACED|HAS_FEATURES]->(owned)
OPTIONAL MATCH (c)<-[:JOINED|PROPOSES]-(about)
OPTIONAL MATCH (c)-[:HAS_IDENTIFIER]->(i:Identifier)
WITH collect(DISTINCT c) + collect(DISTINCT owned) + collect(DISTINCT about) + collect(DISTINCT i) AS nodes
UNWIND nodes AS node
DETACH DELETE node;
UNWIND $marks AS id
MATCH (m:Mark {id: id})
DETACH DELETE m;
