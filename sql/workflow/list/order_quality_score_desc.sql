-- Orders a listing by quality_score, descending, then by id; one index gives this order, absent keys apart.
ORDER BY w.quality_score DESC, w.workflow_id DESC
