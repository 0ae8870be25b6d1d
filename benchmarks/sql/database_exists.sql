-- Returns whether there is such a database.
-- $1 name text
SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1) AS found
