-- Sorts what was found by title, ascending, then by id; those that lack it come last.
ORDER BY w.title_key ASC NULLS LAST, w.workflow_id ASC
