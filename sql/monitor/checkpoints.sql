-- Returns one row: checkpoints int8 that were due by time, requested int8 that came early, since the server's statistics
-- began. For PostgreSQL 17 and newer. Takes nothing.
SELECT num_timed AS timed, num_requested AS requested FROM pg_catalog.pg_stat_checkpointer
