-- As monitor/checkpoints, for PostgreSQL 15 and 16.
SELECT checkpoints_timed AS timed, checkpoints_req AS requested FROM pg_catalog.pg_stat_bgwriter
