-- Returns one row with what says how a server is; takes nothing.
-- Ages and lags are seconds, NULL where there is nothing to measure. A role without pg_monitor does not see the
-- transactions of other roles.
SELECT
    current_setting('server_version') AS version,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    extract(EPOCH FROM clock_timestamp() - pg_catalog.pg_postmaster_start_time())::double precision AS uptime,
    pg_catalog.pg_database_size(current_database()) AS database_bytes,
    (
        SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'
    ) AS connections,
    current_setting('max_connections')::integer AS max_connections,
    (
        SELECT extract(EPOCH FROM max(clock_timestamp() - a.xact_start))
        FROM pg_catalog.pg_stat_activity AS a
        WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
    )::double precision AS oldest_transaction,
    (SELECT max(age(d.datfrozenxid)) FROM pg_catalog.pg_database AS d) AS wraparound_age,
    (SELECT count(*) FROM pg_catalog.pg_stat_replication) AS standbys,
    CASE
        WHEN NOT pg_catalog.pg_is_in_recovery()
            THEN (SELECT extract(EPOCH FROM max(r.replay_lag)) FROM pg_catalog.pg_stat_replication AS r)
        WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
        ELSE extract(EPOCH FROM clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())
    END::double precision AS replication_lag
