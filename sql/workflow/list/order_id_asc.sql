-- Orders the rows that lack the listing's key by id.
-- $1 limit int8
ORDER BY w.workflow_id ASC
LIMIT $1
