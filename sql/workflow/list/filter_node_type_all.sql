-- Keeps only those with nodes of all of these types.
-- $1 node_types jsonb
AND w.workflow_id IN (
    SELECT s.workflow_id
    FROM workflow_store.workflow_structure AS s
    WHERE s.node_types @> $1::jsonb
)
