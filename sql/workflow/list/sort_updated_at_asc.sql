-- Sorts what was found by updated_at, ascending, then by id; those that lack it come last.
ORDER BY w.updated_at ASC NULLS LAST, w.workflow_id ASC
