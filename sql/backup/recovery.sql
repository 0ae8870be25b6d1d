-- Returns whether the server is still replaying its log, and when the last transaction it has replayed was committed.
SELECT pg_is_in_recovery() AS in_recovery, pg_last_xact_replay_timestamp() AS last_commit
