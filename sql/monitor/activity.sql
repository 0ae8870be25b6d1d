-- Returns a row each for the states that clients' connections to this database are in: state text, connections int8,
-- longest float8 (seconds that one of them has been in it). Takes nothing.
SELECT
    coalesce(a.state, 'unknown') AS state,
    count(*) AS connections,
    coalesce(extract(EPOCH FROM max(clock_timestamp() - a.state_change)), 0)::double precision AS longest
FROM pg_catalog.pg_stat_activity AS a
WHERE
    a.datname = current_database()
    AND a.backend_type = 'client backend'
    AND a.pid <> pg_catalog.pg_backend_pid()
GROUP BY 1
ORDER BY 2 DESC, 1
