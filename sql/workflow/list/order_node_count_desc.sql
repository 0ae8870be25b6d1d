-- Orders a listing by node_count, descending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.node_count DESC, w.workflow_id DESC
LIMIT $1
