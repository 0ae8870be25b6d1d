-- Sorts what was found by updated_at, descending, then by id; those that lack it come last.
ORDER BY w.updated_at DESC NULLS LAST, w.workflow_id DESC
