-- Orders a listing by quality_score, ascending, then by id; one index gives this order, absent keys apart.
ORDER BY w.quality_score ASC, w.workflow_id ASC
