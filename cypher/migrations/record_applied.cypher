// Remember that a migration ran; harmless when repeated.
// params: version, name, checksum
// returns: version
// mode: write
MERGE (m:Migration {version: $version})
ON CREATE SET m.name = $name, m.checksum = $checksum, m.applied_at = datetime()
RETURN m.version AS version
