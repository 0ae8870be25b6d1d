-- Orders a listing by updated_at, descending, absent ones last, and skips rows by counting them.
-- $1 limit int8, $2 offset int8
ORDER BY w.updated_at DESC NULLS LAST, w.workflow_id DESC
LIMIT $1 OFFSET $2
