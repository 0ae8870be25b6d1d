-- Returns one row: the number of the server process at the other end. Takes nothing.
SELECT pg_catalog.pg_backend_pid()
