-- Returns a row each for the indexes of the schema, by name: name text, bytes int8, is_valid bool,
-- has_pending bool (a GIN index that collects entries before it sorts them in), needed int8: bytes that a B-tree of so
-- many entries of that width takes when it is new, by the server's statistics; NULL for other kinds and where there are
-- none.
-- The estimate: entries of the keys' average width, 8 bytes of header, up to 8 of padding and 4 of pointer each, in pages
-- of 8 kB that are 90 % full.
SELECT
    c.relname::text AS name,
    pg_catalog.pg_relation_size(c.oid) AS bytes,
    i.indisvalid AS is_valid,
    m.amname = 'gin' AND coalesce(NOT 'fastupdate=off' = ANY (c.reloptions), TRUE) AS has_pending,
    CASE
        WHEN m.amname = 'btree' AND c.reltuples >= 0 AND w.width IS NOT NULL
            THEN ceil(c.reltuples * (w.width + 20) / (8192 * 0.9)) * 8192 + 16384
    END::bigint AS needed
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
INNER JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
LEFT JOIN LATERAL (
    SELECT sum(s.avg_width) AS width
    FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, position)
    INNER JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = CASE WHEN k.attnum > 0 THEN t.oid ELSE c.oid END
        AND a.attnum = CASE WHEN k.attnum > 0 THEN k.attnum ELSE k.position END
    INNER JOIN pg_catalog.pg_stats AS s
        ON s.schemaname = 'workflow_store'
        AND s.tablename = CASE WHEN k.attnum > 0 THEN t.relname ELSE c.relname END
        AND s.attname = a.attname
    HAVING count(*) = i.indnatts
) AS w ON TRUE
WHERE t.relnamespace = 'workflow_store'::regnamespace
ORDER BY c.relname
