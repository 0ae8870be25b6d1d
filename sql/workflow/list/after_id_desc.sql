-- Keeps what comes behind an id among the rows that lack the listing's key.
-- $1 workflow_id text
AND w.workflow_id < $1
