-- Sorts what was found by extracted_at, ascending, then by id; those that lack it come last.
ORDER BY w.extracted_at ASC NULLS LAST, w.workflow_id ASC
