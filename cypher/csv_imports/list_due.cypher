// The import of any brand that waits longest for work; none while another one is worked on in the background.
// params: at
// returns: brand, id
// mode: read
WITH $at AS at
WHERE NOT EXISTS {
  MATCH (busy:CsvImport)
  WHERE busy.state = 'running' AND busy.updated_at IS NOT NULL AND busy.lease_until >= at
    AND busy.lease_owner STARTS WITH 'worker'
}
MATCH (i:CsvImport)
WHERE i.state IN ['queued', 'running'] AND i.updated_at IS NOT NULL AND (i.lease_until IS NULL OR i.lease_until < at)
RETURN i.brand AS brand, i.id AS id
ORDER BY i.updated_at
LIMIT 1
