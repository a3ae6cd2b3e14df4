// Computed traits: definitions, the set of a brand, values at live profiles; due_at says when values change by themselves.
// params: none
// returns: nothing
// mode: write
CREATE CONSTRAINT trait_definition_key IF NOT EXISTS FOR (n:TraitDefinition) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT trait_set_id IF NOT EXISTS FOR (n:TraitSet) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT computed_traits_id IF NOT EXISTS FOR (n:ComputedTraits) REQUIRE n.id IS UNIQUE;
CREATE INDEX trait_definition_brand IF NOT EXISTS FOR (n:TraitDefinition) ON (n.brand, n.name);
CREATE INDEX computed_traits_due IF NOT EXISTS FOR (n:ComputedTraits) ON (n.due_at);
