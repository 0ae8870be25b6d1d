-- Returns one row about the server: its version as a number, and the settings that decide whether a commit is durable.
SELECT
    current_setting('server_version_num')::integer AS version,
    current_setting('fsync')::boolean AS fsync,
    current_setting('full_page_writes')::boolean AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit
