-- Orders a listing by title, descending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.title_key DESC, w.workflow_id DESC
LIMIT $1
