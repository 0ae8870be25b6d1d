-- Returns whether this transaction is the one that refreshes; another one that does holds the lock until it ends.
SELECT pg_try_advisory_xact_lock(8606223218533756792) AS claimed
