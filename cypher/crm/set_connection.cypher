// Set a connection up or change it; its cursors begin anew where what it reads from is another place now.
// params: brand, key, name, kind, base_url, options (JSON), secrets (JSON, null keeps those that are there), interval_minutes, next_at, at
// returns: connection
// mode: write
MATCH (b:Brand {id: $brand})
MERGE (c:CrmConnection {key: $key})
ON CREATE SET c.brand = b.id, c.name = $name, c.created_at = $at, c.cursors = '{}'
SET c.cursors = CASE WHEN c.kind = $kind AND c.base_url = $base_url THEN c.cursors ELSE '{}' END,
  // A sync at work goes by what it was begun with: it ends when it finds another revision.
  c.revision = CASE
    WHEN c.kind = $kind AND c.base_url = $base_url AND c.options = $options AND c.secrets = coalesce($secrets, c.secrets)
    THEN c.revision ELSE coalesce(c.revision, 0) + 1 END
SET c.kind = $kind, c.base_url = $base_url, c.options = $options, c.secrets = coalesce($secrets, c.secrets),
  c.interval_minutes = $interval_minutes, c.next_at = $next_at, c.updated_at = $at
RETURN properties(c) AS connection
