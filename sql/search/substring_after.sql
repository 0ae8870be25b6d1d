-- Keeps what comes behind an id.
-- $1 workflow_id text
AND w.workflow_id > $1
