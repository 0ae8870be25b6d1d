-- Sorts what was found by node_count, descending, then by id; those that lack it come last.
ORDER BY w.node_count DESC NULLS LAST, w.workflow_id DESC
