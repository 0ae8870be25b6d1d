-- Returns a row each for the tables of the schema, by name: what the server has counted since it last looked after them.
-- name text, bytes int8, live int8, dead int8, changed int8 (rows since the last ANALYZE), inserted int8 (rows since the
-- last VACUUM), analyzed bool (whether there are statistics), age int4 (transactions since the oldest row was not frozen)
SELECT
    s.relname::text AS name,
    pg_catalog.pg_total_relation_size(s.relid) AS bytes,
    s.n_live_tup AS live,
    s.n_dead_tup AS dead,
    s.n_mod_since_analyze AS changed,
    s.n_ins_since_vacuum AS inserted,
    coalesce(s.last_analyze, s.last_autoanalyze) IS NOT NULL AS analyzed,
    age(c.relfrozenxid) AS age
FROM pg_catalog.pg_stat_all_tables AS s
INNER JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
WHERE s.schemaname = 'workflow_store'
ORDER BY s.relname
