-- Sorts what was found by node_count, ascending, then by id; those that lack it come last.
ORDER BY w.node_count ASC NULLS LAST, w.workflow_id ASC
