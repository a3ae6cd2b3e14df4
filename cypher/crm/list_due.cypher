// The sync of any brand that waits longest for work; none while another one is worked on in the background.
// params: at
// returns: brand, id
// mode: read
WITH $at AS at
WHERE NOT EXISTS {
  MATCH (busy:CrmSync)
  WHERE busy.state = 'running' AND busy.updated_at IS NOT NULL AND busy.lease_until >= at AND busy.waits_for IS NULL
    AND busy.lease_owner STARTS WITH 'worker'
}
MATCH (s:CrmSync)
WHERE s.state IN ['queued', 'running'] AND s.updated_at IS NOT NULL AND (s.lease_until IS NULL OR s.lease_until < at)
  AND s.brand IS NOT NULL
RETURN s.brand AS brand, s.id AS id
ORDER BY s.updated_at
LIMIT 1
