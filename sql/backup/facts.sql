-- Returns one row about the database: its name, the server's version, how large it is in bytes, whether the server is a
-- standby, and the last migration it has.
SELECT
    current_database()::text AS database,
    current_setting('server_version') AS server_version,
    current_setting('server_version_num')::integer AS server_number,
    pg_database_size(current_database()) AS size,
    (
        SELECT max(m.migration_id COLLATE "C")
        FROM workflow_store._yoyo_migration AS m
    ) AS schema_version
