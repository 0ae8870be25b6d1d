-- Returns how the widest column is compressed where its rows are stored: pglz or lz4.
SELECT
    CASE a.attcompression
        WHEN 'l' THEN 'lz4'
        WHEN 'p' THEN 'pglz'
        ELSE current_setting('default_toast_compression')
    END AS compression
FROM pg_catalog.pg_attribute AS a
WHERE a.attrelid = 'workflow_store.workflow_structure'::regclass AND a.attname = 'workflow_json'
