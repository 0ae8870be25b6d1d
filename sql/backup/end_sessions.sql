-- Ends all other sessions of a database; returns how many there were.
-- $1 datname text
SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid)) AS ended
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = $1 AND a.pid <> pg_catalog.pg_backend_pid()
