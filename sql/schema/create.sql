-- Makes the schema, so that the list of applied migrations can lie in it too.
-- Returns nothing. Takes nothing.
CREATE SCHEMA IF NOT EXISTS workflow_store;
