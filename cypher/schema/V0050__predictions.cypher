// Predictions of profiles, versions of the models that made them, and the runs that train them and score everybody.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT prediction_id IF NOT EXISTS FOR (n:Prediction) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT model_version_id IF NOT EXISTS FOR (n:ModelVersion) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT model_version_active IF NOT EXISTS FOR (n:ModelVersion) REQUIRE n.active IS UNIQUE;
CREATE CONSTRAINT model_run_id IF NOT EXISTS FOR (n:ModelRun) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT model_run_waiting IF NOT EXISTS FOR (n:ModelRun) REQUIRE n.waiting IS UNIQUE;
CREATE INDEX model_version_brand IF NOT EXISTS FOR (n:ModelVersion) ON (n.brand, n.created_at, n.id);
CREATE INDEX model_run_brand IF NOT EXISTS FOR (n:ModelRun) ON (n.brand, n.created_at, n.id);
