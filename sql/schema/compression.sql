-- How large values are to be compressed, and what has to be altered for that: every text, jsonb and bytea column that no
-- index holds. Only rows written later are affected.
-- Returns one row: method text (lz4, pglz or none), statements text[] (one ALTER TABLE for each table where a column
-- differs; empty where none does). Takes $1: auto, lz4, pglz or none; auto is lz4 where the server has it, else pglz.
WITH wanted AS (
    SELECT
        CASE
            WHEN $1::text <> 'auto' THEN $1::text
            WHEN 'lz4' = ANY (enumvals) THEN 'lz4'
            ELSE 'pglz'
        END AS method
    FROM pg_catalog.pg_settings
    WHERE name = 'default_toast_compression'
),

wide AS (
    SELECT c.relname, a.attname, a.attnum, a.attstorage, a.attcompression
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
    WHERE
        c.relnamespace = to_regnamespace('workflow_store')
        AND c.relkind IN ('r', 'p')
        AND a.attnum > 0
        AND NOT a.attisdropped
        AND a.atttypid IN ('text'::regtype, 'jsonb'::regtype, 'bytea'::regtype)
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey)
        )
),

actions AS (
    SELECT relname, attnum, format('ALTER COLUMN %I SET STORAGE EXTERNAL', attname) AS action
    FROM wide, wanted
    WHERE method = 'none' AND attstorage <> 'e'
    UNION ALL
    SELECT relname, attnum, format('ALTER COLUMN %I SET STORAGE EXTENDED', attname)
    FROM wide, wanted
    WHERE method <> 'none' AND attstorage <> 'x'
    UNION ALL
    SELECT relname, attnum, format('ALTER COLUMN %I SET COMPRESSION %I', attname, method)
    FROM wide, wanted
    WHERE method <> 'none' AND attcompression <> left(method, 1)::"char"
),

altered AS (
    SELECT
        relname,
        format('ALTER TABLE workflow_store.%I %s', relname, string_agg(action, ', ' ORDER BY attnum, action)) AS statement
    FROM actions
    GROUP BY relname
)

SELECT
    method,
    ARRAY(SELECT statement FROM altered ORDER BY relname) AS statements
FROM wanted;
