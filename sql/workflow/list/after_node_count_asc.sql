-- Keeps what comes behind a place in the order by node_count, ascending.
-- $1 node_count int8, $2 workflow_id text
AND (w.node_count, w.workflow_id) > ($1::int8, $2)
