-- Sorts what was found by views, ascending, then by id; those that lack it come last.
ORDER BY w.views ASC NULLS LAST, w.workflow_id ASC
