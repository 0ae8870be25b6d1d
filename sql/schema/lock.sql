-- Tries to take the lock of everything that changes the schema; the session holds it until it ends.
-- Returns one row: locked boolean. Takes nothing.
-- The key is the ASCII of "workflow" as a bigint. It is asked for again and again, never waited for: a waiting statement
-- holds a snapshot, and CREATE INDEX CONCURRENTLY of the migrator before would wait for that.
SELECT pg_try_advisory_lock(8606223218533756791) AS locked;
