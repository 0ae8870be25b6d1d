-- Returns the tables of the schema, and whether each is of the migrations alone, which only their owner writes.
SELECT
    c.relname::text AS name,
    c.relname ^@ '_yoyo' OR c.relname = 'yoyo_lock' AS is_ledger
FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = 'workflow_store'::regnamespace AND c.relkind IN ('r', 'p')
ORDER BY c.relname
