-- Sorts what was found by extracted_at, descending, then by id; those that lack it come last.
ORDER BY w.extracted_at DESC NULLS LAST, w.workflow_id DESC
