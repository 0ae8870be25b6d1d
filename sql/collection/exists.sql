-- Returns those of the given ids that are stored, in no order.
-- $1 workflow_ids text[]
SELECT w.workflow_id
FROM workflow_store.workflows AS w
WHERE w.workflow_id = ANY ($1)
