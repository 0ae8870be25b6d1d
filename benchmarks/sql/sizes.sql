-- Returns the store's tables by size: bytes of rows and of indexes, each with its TOAST.
SELECT
    c.relname AS name,
    pg_table_size(c.oid) AS bytes,
    pg_indexes_size(c.oid) AS index_bytes
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'workflow_store' AND c.relkind = 'r'
ORDER BY pg_total_relation_size(c.oid) DESC
