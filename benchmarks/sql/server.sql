-- Returns the server's version, and the settings that decide what a figure means.
SELECT
    current_setting('server_version') AS version,
    current_setting('shared_buffers') AS shared_buffers,
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('default_toast_compression') AS default_toast_compression,
    current_setting('max_wal_size') AS max_wal_size,
    current_setting('work_mem') AS work_mem,
    current_setting('random_page_cost') AS random_page_cost,
    current_setting('jit') AS jit,
    current_setting('plan_cache_mode') AS plan_cache_mode
