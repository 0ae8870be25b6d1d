-- Returns where pg_stat_statements can be asked: the name of its schema, text; no row where it is not installed in this
-- database, or not loaded by the server. Takes nothing.
SELECT n.nspname::text AS name
FROM pg_catalog.pg_extension AS e
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements' AND current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'
