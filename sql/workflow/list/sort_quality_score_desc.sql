-- Sorts what was found by quality_score, descending, then by id; those that lack it come last.
ORDER BY w.quality_score DESC NULLS LAST, w.workflow_id DESC
