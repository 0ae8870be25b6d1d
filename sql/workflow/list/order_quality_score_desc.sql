-- Orders a listing by quality_score, descending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.quality_score DESC, w.workflow_id DESC
LIMIT $1
