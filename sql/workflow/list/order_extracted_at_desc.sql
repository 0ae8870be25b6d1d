-- Orders a listing by extracted_at, descending, then by id; one index gives this order.
-- $1 limit int8
ORDER BY w.extracted_at DESC, w.workflow_id DESC
LIMIT $1
