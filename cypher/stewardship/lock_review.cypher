// Lock a review; the status is read after the lock.
// params: brand, id
// returns: status
// mode: write
MATCH (v:Review {id: $id})
WHERE v.brand = $brand
SET v.brand = v.brand
RETURN v.status
