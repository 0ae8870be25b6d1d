-- Undoes what was written since the newest savepoint of this name, which stays; a failed transaction goes on from there.
-- Takes and returns nothing.
ROLLBACK TO SAVEPOINT workflow_store
