// Ask for the end of an import: at once when nobody works on it, else at its next step.
// params: brand, id, at
// returns: import
// mode: write
MATCH (i:CsvImport {id: $id}) WHERE i.brand = $brand
SET i.cancel_requested = true
WITH i
SET i.state = CASE
    WHEN i.state IN ['queued', 'running'] AND (i.lease_until IS NULL OR i.lease_until < $at) THEN 'cancelled'
    ELSE i.state END,
  i.finished_at = CASE WHEN i.finished_at IS NULL AND i.state = 'cancelled' THEN $at ELSE i.finished_at END,
  i.updated_at = $at
RETURN properties(i) AS import
