-- Ends a page.
-- $1 limit int8
LIMIT $1
