-- Removes an index that is of no use: one that a REINDEX left behind when it was broken off. Nobody is locked out.
DROP INDEX CONCURRENTLY IF EXISTS workflow_store.{index}
