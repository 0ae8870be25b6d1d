-- Keeps only those with at least one of these tags.
-- $1 tags jsonb[], one array of one tag each
AND w.workflow_id IN (
    SELECT m.workflow_id
    FROM workflow_store.workflow_metadata AS m
    WHERE m.tags @> ANY($1::jsonb[])
)
