-- Removes the schema with every table, every row and the list of applied migrations.
-- Returns nothing. Takes nothing.
DROP SCHEMA IF EXISTS workflow_store CASCADE;
