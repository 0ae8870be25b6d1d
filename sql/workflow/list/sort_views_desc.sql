-- Sorts what was found by views, descending, then by id; those that lack it come last.
ORDER BY w.views DESC NULLS LAST, w.workflow_id DESC
