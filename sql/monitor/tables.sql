-- Returns a row each for the tables of the schema, the largest first: name text, bytes int8 (with indexes and large
-- values), live int8 and dead int8 (rows, estimates), vacuumed timestamptz (by anybody, NULL: never). Takes nothing.
SELECT
    s.relname::text AS name,
    pg_catalog.pg_total_relation_size(s.relid) AS bytes,
    s.n_live_tup AS live,
    s.n_dead_tup AS dead,
    greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed
FROM pg_catalog.pg_stat_all_tables AS s
WHERE s.schemaname = 'workflow_store'
ORDER BY bytes DESC, s.relname
