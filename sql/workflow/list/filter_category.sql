-- Keeps only those in at least one of these categories.
-- $1 categories jsonb[], one array of one category each
AND w.workflow_id IN (
    SELECT m.workflow_id
    FROM workflow_store.workflow_metadata AS m
    WHERE m.categories @> ANY($1::jsonb[])
)
