-- Keeps what comes behind a place in the order by extracted_at, ascending.
-- $1 extracted_at timestamptz, $2 workflow_id text
AND (w.extracted_at, w.workflow_id) > ($1::timestamptz, $2)
