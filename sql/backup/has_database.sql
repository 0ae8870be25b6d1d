-- Returns a row where there is a database of this name.
-- $1 datname text
SELECT 1 AS found FROM pg_catalog.pg_database AS d WHERE d.datname = $1
