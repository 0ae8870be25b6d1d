-- Opens a savepoint inside the open transaction; one of the same name that is open is hidden until this one ends.
-- Takes and returns nothing.
SAVEPOINT workflow_store
