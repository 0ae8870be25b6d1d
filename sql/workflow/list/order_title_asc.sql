-- Orders a listing by title, ascending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.title_key ASC, w.workflow_id ASC
LIMIT $1
