-- Builds an index anew beside the old one, and puts it in its place. Nobody is locked out.
REINDEX INDEX CONCURRENTLY workflow_store.{index}
