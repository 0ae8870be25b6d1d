-- Deletes the metadata of a workflow; returns the id where there was one, else no row.
-- $1 workflow_id text
DELETE FROM workflow_store.workflow_metadata AS m WHERE m.workflow_id = $1
RETURNING m.workflow_id
