-- Gives the room of dead rows back to the table and counts anew what its columns hold. Nobody is locked out.
VACUUM (ANALYZE) workflow_store.{table}
