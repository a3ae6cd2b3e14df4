// Schemas of event types and sets of transformations, each in versions of a brand.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT event_schema_id IF NOT EXISTS FOR (n:EventSchema) REQUIRE n.id IS UNIQUE;
CREATE INDEX event_schema_type IF NOT EXISTS FOR (n:EventSchema) ON (n.brand, n.type, n.version);
CREATE INDEX event_schema_active IF NOT EXISTS FOR (n:EventSchema) ON (n.brand, n.is_active);
CREATE CONSTRAINT transformation_set_id IF NOT EXISTS FOR (n:TransformationSet) REQUIRE n.id IS UNIQUE;
CREATE INDEX transformation_set_brand IF NOT EXISTS FOR (n:TransformationSet) ON (n.brand, n.created_at);
