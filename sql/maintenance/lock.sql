-- Returns whether the session has the lock of whoever maintains this database: one at a time. Takes nothing.
SELECT pg_catalog.pg_try_advisory_lock(8606223218533756794) AS locked
