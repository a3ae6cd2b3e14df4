// Connections to CRM systems and what was read over them: syncs by brand in order of creation, those that wait by state.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT crm_connection_key IF NOT EXISTS FOR (n:CrmConnection) REQUIRE n.key IS UNIQUE;
CREATE INDEX crm_connection_brand IF NOT EXISTS FOR (n:CrmConnection) ON (n.brand, n.name);
CREATE INDEX crm_connection_next IF NOT EXISTS FOR (n:CrmConnection) ON (n.next_at);
CREATE CONSTRAINT crm_sync_id IF NOT EXISTS FOR (n:CrmSync) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT crm_sync_active IF NOT EXISTS FOR (n:CrmSync) REQUIRE n.active IS UNIQUE;
CREATE INDEX crm_sync_brand IF NOT EXISTS FOR (n:CrmSync) ON (n.brand, n.created_at, n.id);
CREATE INDEX crm_sync_state IF NOT EXISTS FOR (n:CrmSync) ON (n.state, n.updated_at);
