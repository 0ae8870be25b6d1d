-- Keeps only those with at least one node of one of these types.
-- $1 node_types jsonb[], one array of one type each
AND w.workflow_id IN (
    SELECT s.workflow_id
    FROM workflow_store.workflow_structure AS s
    WHERE s.node_types @> ANY($1::jsonb[])
)
