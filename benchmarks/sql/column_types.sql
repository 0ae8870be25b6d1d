-- Returns the columns of a table of the store with the names of their types.
-- $1 table name
SELECT
    a.attname AS name,
    t.typname AS type_name
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
WHERE
    a.attrelid = to_regclass('workflow_store.' || quote_ident($1))
    AND a.attnum > 0
    AND NOT a.attisdropped
ORDER BY a.attnum
