// Imports of one file: whether one is under way already.
// params: none
// returns: nothing
// mode: write
CREATE INDEX csv_import_digest IF NOT EXISTS FOR (n:CsvImport) ON (n.brand, n.digest);
