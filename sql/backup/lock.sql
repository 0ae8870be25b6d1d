-- Returns whether this session now holds the lock of whoever makes backups of this database by the clock.
SELECT pg_try_advisory_lock(hashtextextended('workflow_store.backup', 0)) AS locked
