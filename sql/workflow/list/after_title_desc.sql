-- Keeps what comes behind a place in the order by title, descending.
-- $1 title text, $2 workflow_id text
AND (w.title_key, w.workflow_id) < ($1::text, $2)
