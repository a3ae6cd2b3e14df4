// Which migrations this database has.
// params: none
// returns: version, checksum
// mode: read
MATCH (m:Migration)
RETURN m.version AS version, m.checksum AS checksum
