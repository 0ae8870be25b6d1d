-- Orders a listing by quality_score, ascending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.quality_score ASC, w.workflow_id ASC
LIMIT $1
