-- Returns a row each for the connections that wait for a lock, the longest first: pid int4, by int4[] (whom they wait for),
-- seconds float8, query text (the beginning, without the comments before it). Takes nothing.
SELECT
    a.pid,
    pg_catalog.pg_blocking_pids(a.pid) AS by,
    extract(EPOCH FROM clock_timestamp() - a.query_start)::double precision AS seconds,
    left(regexp_replace(a.query, '^(\s*--[^\n]*\n)+', ''), 200) AS query
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = current_database() AND a.wait_event_type = 'Lock'
ORDER BY seconds DESC
