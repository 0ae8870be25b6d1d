-- Settings of a session that migrates: a lock is waited for so long and no longer, a step may take its time whatever the
-- role's own limits say, and names without a schema mean ours.
-- Returns one row of the four new values. Takes $1: milliseconds to wait for a lock, as text.
SELECT
    set_config('lock_timeout', $1::text, false) AS lock_timeout,
    set_config('statement_timeout', '0', false) AS statement_timeout,
    set_config('idle_in_transaction_session_timeout', '0', false) AS idle_in_transaction_session_timeout,
    set_config('search_path', 'workflow_store', false) AS search_path;
