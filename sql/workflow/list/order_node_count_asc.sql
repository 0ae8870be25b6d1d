-- Orders a listing by node_count, ascending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.node_count ASC, w.workflow_id ASC
LIMIT $1
