-- Keeps what comes behind a place in the order by updated_at, descending.
-- $1 updated_at timestamptz, $2 workflow_id text
AND (w.updated_at, w.workflow_id) < ($1::timestamptz, $2)
