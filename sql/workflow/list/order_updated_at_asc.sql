-- Orders a listing by updated_at, ascending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.updated_at ASC, w.workflow_id ASC
LIMIT $1
