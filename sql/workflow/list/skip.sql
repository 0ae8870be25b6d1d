-- Ends a page that is found by counting rows.
-- $1 limit int8, $2 offset int8
LIMIT $1 OFFSET $2
