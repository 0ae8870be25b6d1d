-- The migrations this database has, in their order.
-- Returns a row each: migration_id text, applied_at timestamptz. Takes nothing.
-- Fails with 42P01 where nothing was ever migrated.
SELECT migration_id, applied_at_utc AT TIME ZONE 'UTC' AS applied_at
FROM workflow_store._yoyo_migration
ORDER BY migration_id COLLATE "C";
