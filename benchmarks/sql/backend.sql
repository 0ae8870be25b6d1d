-- Returns the process that serves this session, and whether it runs on this machine: it is reached over a socket file.
SELECT
    pg_backend_pid() AS pid,
    inet_server_addr() IS NULL AS is_local
