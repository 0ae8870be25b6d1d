-- Keeps what was written since the newest savepoint of this name, and ends it.
-- Takes and returns nothing.
RELEASE SAVEPOINT workflow_store
