-- Orders a listing by views, ascending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.views ASC, w.workflow_id ASC
LIMIT $1
