-- What a migrator finds: whether the schema and the list of applied migrations exist, and which server process answers.
-- Returns one row: has_schema boolean, has_migrations boolean, backend_pid integer. Takes nothing.
-- A pooler between hands out a process id of its own at the login, so that one and backend_pid differ.
SELECT
    to_regnamespace('workflow_store') IS NOT NULL AS has_schema,
    to_regclass('workflow_store._yoyo_migration') IS NOT NULL AS has_migrations,
    pg_backend_pid() AS backend_pid;
