-- Returns whether another connection, by its server process, still has a transaction open.
-- $1 pid int4
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity AS a
    WHERE a.pid = $1 AND a.xact_start IS NOT NULL AND a.pid <> pg_catalog.pg_backend_pid()
)
