-- Returns a row each for the ten statements on this database that took most of its time: calls int8, total_ms float8,
-- mean_ms float8, rows int8, query text (the beginning, without the comments before it). {schema}: where
-- pg_stat_statements lies.
SELECT
    s.calls,
    s.total_exec_time AS total_ms,
    s.mean_exec_time AS mean_ms,
    s.rows,
    left(regexp_replace(s.query, '^(\s*--[^\n]*\n)+', ''), 200) AS query
FROM {schema}.pg_stat_statements AS s
INNER JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
WHERE d.datname = current_database()
ORDER BY s.total_exec_time DESC
LIMIT 10
