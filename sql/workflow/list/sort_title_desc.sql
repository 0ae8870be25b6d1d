-- Sorts what was found by title, descending, then by id; those that lack it come last.
ORDER BY w.title_key DESC NULLS LAST, w.workflow_id DESC
