// Lock a review; everything about it is read after the lock.
// params: brand, id
// returns: status, proposed [[persona id, root id]…], ids ever proposed, whether a merge of one of them was taken back
//   since the review was opened
// mode: write
MATCH (v:Review {id: $id})
WHERE v.brand = $brand
SET v.brand = v.brand
WITH v
RETURN v.status, [(v)-[:PROPOSES]->(c:Customer) | [c.id, c.root_id]], coalesce(v.proposed_ids, []),
  EXISTS {
    MATCH (v)-[:PROPOSES]->(:Customer)<-[:JOINED]-(m:Merge)
    WHERE m.reverted_at >= v.created_at
  }
