// Keep secrets that the CRM changed over, unless somebody set others meanwhile.
// params: brand, key, old, secrets
// returns: kept
// mode: write
MATCH (c:CrmConnection {key: $key}) WHERE c.brand = $brand
SET c.secrets = CASE WHEN c.secrets = $old THEN $secrets ELSE c.secrets END
RETURN c.secrets = $secrets AS kept
