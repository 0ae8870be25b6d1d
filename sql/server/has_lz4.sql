-- Returns one row: boolean, whether the server can compress large values by lz4. Takes nothing.
SELECT 'lz4' = ANY (enumvals) AS has_lz4
FROM pg_catalog.pg_settings
WHERE name = 'default_toast_compression'
