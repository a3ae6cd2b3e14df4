// Set a connection up or change it; its cursors begin anew where what it reads from is another place now.
// params: brand, key, name, kind, base_url, options (JSON), secrets (JSON, null keeps those that are there), interval_minutes, next_at, at
// returns: connection
// mode: write
MATCH (b:Brand {id: $brand})
MERGE (c:CrmConnection {key: $key})
ON CREATE SET c.brand = b.id, c.name = $name, c.created_at = $at, c.cursors = '{}'
SET c.cursors = CASE WHEN c.kind = $kind AND c.base_url = $base_url THEN c.cursors ELSE '{}' END
SET c.kind = $kind, c.base_url = $base_url, c.options = $options, c.secrets = coalesce($secrets, c.secrets),
  c.interval_minutes = $interval_minutes, c.next_at = $next_at, c.updated_at = $at
RETURN properties(c) AS connection
