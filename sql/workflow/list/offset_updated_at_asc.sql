-- Orders a listing by updated_at, ascending, absent ones last, and skips rows by counting them.
-- $1 limit int8, $2 offset int8
ORDER BY w.updated_at ASC NULLS LAST, w.workflow_id ASC
LIMIT $1 OFFSET $2
