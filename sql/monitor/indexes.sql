-- Returns a row each for the indexes of the schema, the least used first: name text, bytes int8, scans int8 since the
-- server's statistics began. Takes nothing.
SELECT
    s.indexrelname::text AS name,
    pg_catalog.pg_relation_size(s.indexrelid) AS bytes,
    s.idx_scan AS scans
FROM pg_catalog.pg_stat_all_indexes AS s
WHERE s.schemaname = 'workflow_store'
ORDER BY s.idx_scan, bytes DESC, s.indexrelname
