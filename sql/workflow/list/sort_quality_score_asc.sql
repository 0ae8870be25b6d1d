-- Sorts what was found by quality_score, ascending, then by id; those that lack it come last.
ORDER BY w.quality_score ASC NULLS LAST, w.workflow_id ASC
