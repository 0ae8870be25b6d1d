-- Orders a listing by views, descending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.views DESC, w.workflow_id DESC
LIMIT $1
