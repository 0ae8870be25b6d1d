-- Returns one row with what the server counts, from which rates are made. Takes nothing.
-- database_bytes int8, hits int8 and reads int8 (pages that were in memory, and that were not), commits int8,
-- rollbacks int8, deadlocks int8, temporary_bytes int8, inserted int8, updated int8 and deleted int8 (rows of all tables
-- of the schema), workflows int8 (an estimate), wal_bytes int8 (written since the server was made)
SELECT
    pg_catalog.pg_database_size(d.datname) AS database_bytes,
    d.blks_hit AS hits,
    d.blks_read AS reads,
    d.xact_commit AS commits,
    d.xact_rollback AS rollbacks,
    d.deadlocks,
    d.temp_bytes AS temporary_bytes,
    t.inserted,
    t.updated,
    t.deleted,
    t.workflows,
    CASE
        WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')
        ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0')
    END::bigint AS wal_bytes
FROM pg_catalog.pg_stat_database AS d
CROSS JOIN (
    SELECT
        coalesce(sum(s.n_tup_ins), 0)::bigint AS inserted,
        coalesce(sum(s.n_tup_upd), 0)::bigint AS updated,
        coalesce(sum(s.n_tup_del), 0)::bigint AS deleted,
        coalesce(max(s.n_live_tup) FILTER (WHERE s.relname = 'workflows'), 0) AS workflows
    FROM pg_catalog.pg_stat_all_tables AS s
    WHERE s.schemaname = 'workflow_store'
) AS t
WHERE d.datname = current_database()
