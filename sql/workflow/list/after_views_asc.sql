-- Keeps what comes behind a place in the order by views, ascending.
-- $1 views int8, $2 workflow_id text
AND (w.views, w.workflow_id) > ($1::int8, $2)
