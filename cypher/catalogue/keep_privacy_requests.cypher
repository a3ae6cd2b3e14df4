// Queue privacy requests; one that is told again stays as it is.
// params: brand, requests (a list of maps: id, source, instance, topic, subject, requested_at, due_at, received_at)
// returns: kept
// mode: write
UNWIND $requests AS row
MERGE (r:PrivacyRequest {id: row.id})
ON CREATE SET r.brand = $brand, r.source = row.source, r.instance = row.instance, r.topic = row.topic, r.subject = row.subject,
  r.requested_at = row.requested_at, r.due_at = row.due_at, r.received_at = row.received_at, r.status = 'open'
RETURN count(r) AS kept
