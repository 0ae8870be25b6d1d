-- Returns the name by which another session sees what this transaction sees, for as long as it lasts.
SELECT pg_export_snapshot() AS snapshot
