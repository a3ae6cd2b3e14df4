// Imports of CSV files: found by brand in order of creation, and those that wait for work by state.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT csv_import_id IF NOT EXISTS FOR (n:CsvImport) REQUIRE n.id IS UNIQUE;
CREATE INDEX csv_import_brand IF NOT EXISTS FOR (n:CsvImport) ON (n.brand, n.created_at, n.id);
CREATE INDEX csv_import_state IF NOT EXISTS FOR (n:CsvImport) ON (n.state, n.updated_at);
