-- Counts anew what a table's columns hold, for the planner. Nobody is locked out.
ANALYZE workflow_store.{table}
